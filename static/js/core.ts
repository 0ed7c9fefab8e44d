// What most views are made of, though not the entry itself: as the entry imports it, and the build lets every module
// imported later start by importing the entry, whatever stands here comes with the entry, in one file.

import { useId } from "preact/hooks";

import { ApiError } from "./api.ts";
import { AccountHeader } from "./components/account_header.tsx";
import { Badge } from "./components/badge.tsx";
import { Button, CopyButton, LinkButton } from "./components/button.tsx";
import { Card, Facts } from "./components/card.tsx";
import { ConfirmDialog } from "./components/dialog.tsx";
import { EmptyState } from "./components/empty.tsx";
import { Field, SelectField, Switch, TextArea } from "./components/field.tsx";
import { FormBody, useForm } from "./components/form.tsx";
import { Icon } from "./components/icon.tsx";
import { Notice } from "./components/notice.tsx";
import { PageHeader } from "./components/page_header.tsx";
import { SkeletonCard, SkeletonHeader, SkeletonLines, SkeletonPage, SkeletonTable, SkeletonTiles } from "./components/skeleton.tsx";
import { StatTile, StatTiles } from "./components/stat_tile.tsx";
import { Table } from "./components/table.tsx";
import { When } from "./components/when.tsx";
import { uuid } from "./browser.ts";
import { ago } from "./charts/format.ts";
import { routes } from "./generated/routes.ts";
import { definePage } from "./page.ts";
import { Redirect } from "./router.ts";
import { refusal } from "./telemetry/consent.ts";
import { attempt } from "./views/parts/attempt.ts";
import { path } from "./views/parts/path.ts";
import { Person } from "./views/parts/person.tsx";
import { RenameForm } from "./views/parts/rename_form.tsx";
import { RoleSelect } from "./views/parts/role_select.tsx";
import { teamRoleLabel } from "./views/parts/roles.ts";
import { TypedConfirm } from "./views/parts/typed_confirm.tsx";

// Reading the length keeps the bundler from dropping what no importer of this file uses.
[
  useId, ApiError, AccountHeader, Badge, Button, CopyButton, LinkButton, Card, Facts, ConfirmDialog, EmptyState, Field,
  SelectField, Switch, TextArea, FormBody, useForm, Icon, Notice, PageHeader, SkeletonCard, SkeletonHeader,
  SkeletonLines, SkeletonPage, SkeletonTable, SkeletonTiles, StatTile, StatTiles, Table, When, definePage, Redirect,
  refusal, uuid, ago, routes, attempt, path, Person, RenameForm, RoleSelect, teamRoleLabel, TypedConfirm,
].length;
