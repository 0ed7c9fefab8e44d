import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import { ApiError } from "../api.ts";
import type { Boot, Choice } from "../boot.ts";
import { Button } from "../components/button.tsx";
import { Field, Switch } from "../components/field.tsx";
import { FormBody, useForm, type Form, type Values } from "../components/form.tsx";
import { Icon } from "../components/icon.tsx";
import { Notice } from "../components/notice.tsx";
import { Steps } from "../components/steps.tsx";
import { definePage, type PageContext } from "../page.ts";
import { PingFields } from "./parts/ping_fields.tsx";
import { SignInForm } from "./parts/sign_in_form.tsx";

const STEPS = ["admin", "options", "finish"] as const;
const LABELS = ["Administrator", "Options", "Done"];

type Step = (typeof STEPS)[number];

interface Chosen {
  telemetry: boolean;
  local_analytics: boolean;
}

function SetUp({ ctx }: { data: null; ctx: PageContext }) {
  const { setup } = ctx.boot;
  const [step, setStep] = useState<Step>(setup.step);
  const [chosen, setChosen] = useState<Chosen>({
    telemetry: setup.telemetry.value,
    local_analytics: setup.local_analytics.value,
  });
  const [overtaken, setOvertaken] = useState<string | null>(null);

  /** Two people may be at it at once: one wins, the other is told. */
  async function unlessOvertaken(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      const late = error instanceof ApiError && (error.code === "setup_finished" || error.code === "setup_admin_exists");
      if (!late) throw error;
      setOvertaken(error.message);
    }
  }

  const parts: Record<Step, ComponentChildren> = {
    admin: <Administrator ctx={ctx} guarded={unlessOvertaken} />,
    options: <Options ctx={ctx} guarded={unlessOvertaken} chosen={chosen} done={(next) => (setChosen(next), setStep("finish"))} />,
    finish: <Finish ctx={ctx} guarded={unlessOvertaken} chosen={chosen} back={() => setStep("options")} />,
  };
  return (
    <div class="gate gate-wide">
      <Steps labels={LABELS} current={STEPS.indexOf(step)} />
      {overtaken ? <Overtaken message={overtaken} /> : step !== "admin" && ctx.user?.role !== "admin" ? <Resume ctx={ctx} /> : parts[step]}
    </div>
  );
}

/** The administrator exists, and whoever is here is not signed in as one: in another browser, or after a session's end. */
function Resume({ ctx }: { ctx: PageContext }) {
  const out = useForm(() => ctx.session.logout());
  return (
    <>
      <h1 tabIndex={-1}>Finish the set-up</h1>
      {ctx.user ? (
        <>
          <p class="lede">
            You are signed in as <bdi>{ctx.user.username}</bdi>. Only an administrator can finish the set-up; until then
            FlowForge is not open.
          </p>
          <FormBody form={out} label="Sign out">
            <Next form={out}>Sign out</Next>
          </FormBody>
        </>
      ) : (
        <>
          <p class="lede">An administrator has begun it. Sign in with that account to go on.</p>
          <SignInForm ctx={ctx} />
        </>
      )}
    </>
  );
}

interface PartProps {
  ctx: PageContext;
  guarded(act: () => Promise<void>): Promise<void>;
}

function Administrator({ ctx, guarded }: PartProps) {
  const form = useForm((values: Values) =>
    guarded(async () => {
      const { boot } = await ctx.api.post<{ boot: Boot }>("/setup/admin", values);
      ctx.session.signedIn(boot, "/setup");
    }),
  );
  return (
    <>
      <h1 tabIndex={-1}>Set up FlowForge</h1>
      <p class="lede">First, the administrator: the account that manages users, settings and telemetry.</p>
      <FormBody form={form} label="Administrator">
        <Field name="username" label="User name" autocomplete="username" required plain autofocus error={form.errors["username"]} />
        <Field name="name" label="Full name" autocomplete="name" hint="Optional." error={form.errors["name"]} />
        <Field name="email" label="E-mail" type="email" autocomplete="email" hint="Optional." error={form.errors["email"]} />
        <Field name="password" label="Password" type="password" autocomplete="new-password" required error={form.errors["password"]} />
        <Next form={form}>Continue</Next>
      </FormBody>
    </>
  );
}

function Options({ ctx, guarded, chosen, done }: PartProps & { chosen: Chosen; done(next: Chosen): void }) {
  const { setup } = ctx.boot;
  const form = useForm((values) =>
    guarded(async () => {
      // A locked switch is disabled and so not among the values: what the configuration says goes.
      const wish = { telemetry: values["telemetry"] ?? chosen.telemetry, local_analytics: values["local_analytics"] ?? chosen.local_analytics };
      done(await ctx.api.post<Chosen>("/setup/options", wish));
    }),
  );
  return (
    <>
      <h1 tabIndex={-1}>What may be recorded</h1>
      <p class="lede">Both can be changed at any time in Admin &gt; Settings.</p>
      <FormBody form={form} label="Options">
        <div class="options">
          <Option name="telemetry" label="Send a daily core ping" choice={setup.telemetry} checked={chosen.telemetry}>
            <p>
              Half a minute after a start, and then once a day, this server tells the makers of FlowForge that it exists:
              a random identifier, the operating system and its version, the processor's kind, the versions of Python
              and FlowForge, how many users, teams and projects there are, and the kind of driver that runs projects.
            </p>
            <p>
              No names, no flows, nothing anybody typed. Of the address it comes from, the receiver stores a keyed hash
              that after a week nobody can turn back, never the address.
            </p>
          </Option>
          <PingFields ctx={ctx} />
          <Option name="local_analytics" label="Keep usage analytics on this server" choice={setup.local_analytics} checked={chosen.local_analytics}>
            <p>
              Which pages are opened and for how long, and actions such as “team created”, are kept in a store on this
              server and shown under Insights. Nothing of it leaves the server.
            </p>
            <p>People appear as pseudonyms, never by name. Everybody sees what is kept about them and can opt out.</p>
          </Option>
        </div>
        <Next form={form}>Continue</Next>
      </FormBody>
    </>
  );
}

interface OptionProps {
  name: string;
  label: string;
  choice: Choice;
  checked: boolean;
  children: ComponentChildren;
}

function Option({ name, label, choice, checked, children }: OptionProps) {
  const hint = (
    <>
      {children}
      {choice.locked && (
        <p class="locked">
          <Icon name="lock" />
          {choice.explanation}
        </p>
      )}
    </>
  );
  return <Switch name={name} label={label} hint={hint} checked={choice.locked ? choice.value : checked} disabled={choice.locked} />;
}

function Finish({ ctx, guarded, chosen, back }: PartProps & { chosen: Chosen; back(): void }) {
  const form = useForm(() =>
    guarded(async () => {
      const { boot } = await ctx.api.post<{ boot: Boot }>("/setup/finish");
      ctx.session.signedIn(boot, "/");
    }),
  );
  return (
    <>
      <h1 tabIndex={-1}>Ready</h1>
      <p class="lede">This is how the server starts its work.</p>
      <FormBody form={form} label="Finish">
        <dl class="facts facts-boxed">
          <div>
            <dt>Administrator</dt>
            <dd><bdi>{ctx.user?.name || ctx.user?.username}</bdi></dd>
          </div>
          <div>
            <dt>Daily core ping</dt>
            <dd>{chosen.telemetry ? "On" : "Off"}</dd>
          </div>
          <div>
            <dt>Usage analytics on this server</dt>
            <dd>{chosen.local_analytics ? "On" : "Off"}</dd>
          </div>
        </dl>
        <div class="actions">
          <Button type="submit" kind="primary" busy={form.busy}>
            Open FlowForge
          </Button>
          <Button onClick={back}>Back</Button>
        </div>
      </FormBody>
    </>
  );
}

function Next({ form, children }: { form: Form; children: ComponentChildren }) {
  return (
    <Button type="submit" kind="primary" busy={form.busy}>
      {children}
    </Button>
  );
}

function Overtaken({ message }: { message: string }) {
  return (
    <>
      <h1 tabIndex={-1}>Somebody was quicker</h1>
      <Notice tone="warning" alert>
        <p>{message} Nothing of what you entered was kept.</p>
      </Notice>
      <div class="actions">
        <Button kind="primary" onClick={() => location.assign("/")}>
          Go on
        </Button>
      </div>
    </>
  );
}

export default definePage({ load: () => Promise.resolve(null), View: SetUp });
