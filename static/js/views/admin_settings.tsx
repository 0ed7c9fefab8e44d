import { useEffect, useState } from "preact/hooks";

import { ApiError } from "../api.ts";
import { Badge } from "../components/badge.tsx";
import { Card } from "../components/card.tsx";
import { Switch } from "../components/field.tsx";
import { Icon } from "../components/icon.tsx";
import { SkeletonCard } from "../components/skeleton.tsx";
import { definePage, type PageContext } from "../page.ts";
import { AdminHeader } from "./parts/admin_header.tsx";
import { PlausibleNotice } from "./parts/plausible_notice.tsx";
import type { Setting, TelemetryStatus } from "./parts/shapes.ts";
import { layerPhrase, layerWords } from "./parts/telemetry_words.ts";
import { SkeletonSection } from "./parts/skeletons.tsx";

/** What a page records is decided when it starts: this one starts again with the new facts. */
const DECIDED_AT_START: ReadonlySet<string> = new Set(["local_analytics"]);

interface Data {
  readonly settings: readonly Setting[];
  readonly plausible: boolean;
}

export default definePage<Data>({
  async load({ api, signal }) {
    const [{ settings }, { channels }] = await Promise.all([
      api.get<{ settings: Setting[] }>("settings", { signal }),
      api.get<TelemetryStatus>("admin/telemetry/status", { signal }),
    ]);
    const plausible = channels.find((channel) => channel.channel === "plausible");
    return { settings, plausible: plausible !== undefined && plausible.reason !== "no_domain" };
  },
  View: AdminSettings,
  title: () => "Administration · Settings",
  Skeleton: () => <><SkeletonSection /><div class="narrow"><SkeletonCard count={8} /></div></>,
});

function AdminSettings({ data, ctx }: { data: Data; ctx: PageContext }) {
  const [settings, setSettings] = useState(data.settings);
  useEffect(() => setSettings(data.settings), [data.settings]);

  async function change(setting: Setting, value: boolean) {
    setSettings((before) => before.map((each) => (each.key === setting.key ? { ...each, value } : each)));
    try {
      const answer = await ctx.api.patch<{ settings: Setting[] }>("settings", { [setting.key]: value });
      setSettings(answer.settings);
      if (DECIDED_AT_START.has(setting.key)) return location.reload();
      ctx.toast(`${setting.label}: ${value ? "on" : "off"}`, "success");
    } catch (error) {
      setSettings(data.settings);
      if (!(error instanceof ApiError)) throw error;
      ctx.toast(error.message, "error");
    }
  }

  return (
    <>
      <AdminHeader tab="settings" />
      <div class="stack narrow">
        {data.plausible && <PlausibleNotice />}
        <Card flush>
          <ul class="list">
            {settings.map((setting) => <SettingRow key={setting.key} setting={setting} onChange={(value) => void change(setting, value)} />)}
          </ul>
        </Card>
      </div>
    </>
  );
}

function SettingRow({ setting, onChange }: { setting: Setting; onChange(value: boolean): void }) {
  const { key, label, help, locked, decided_by: layer, explanation } = setting;
  return (
    <li class="list-row setting">
      <Switch
        name={key}
        label={label}
        checked={locked ? setting.effective : setting.value}
        disabled={locked}
        onChange={onChange}
        hint={(
          <>
            <p>{help}{key === "telemetry:enabled" && <> <a class="link" href="/admin/telemetry/ping">The exact text, and what was sent</a></>}</p>
            <p class="setting-layer">
              {locked && <Icon name="lock" />}
              <Badge tone={locked ? "warning" : "neutral"}>{locked ? `Locked by ${layerPhrase(layer)}` : layerWords(layer)}</Badge>
              <span>{explanation}</span>
            </p>
          </>
        )}
      />
    </li>
  );
}
