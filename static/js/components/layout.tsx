import type { ComponentChildren } from "preact";

import type { Api } from "../api.ts";
import type { Boot, User } from "../boot.ts";
import type { RouteName } from "../generated/routes.ts";
import type { Session } from "../session.ts";
import type { Params } from "../visit.ts";
import { AccountMenu } from "./account_menu.tsx";
import { Brand } from "./brand.tsx";
import { Icon, type IconName } from "./icon.tsx";
import { TeamSwitcher } from "./team_switcher.tsx";
import { ThemeSwitch } from "./theme_switch.tsx";
import { Toaster } from "./toast.tsx";

export interface Place {
  route: RouteName;
  params: Params;
}

interface LayoutProps {
  boot: Boot;
  api: Api;
  session: Session;
  place: Place;
  /** Told to screen readers when it changes. */
  title: string;
  busy: boolean;
  children: ComponentChildren;
}

/** Everything around a view. Who is not signed in sees the view alone, under the brand. */
export function Layout({ boot, api, session, place, title, busy, children }: LayoutProps) {
  const { user, setup } = boot;
  const inside = user !== null && setup.finished;
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to content
      </a>
      <p class="visually-hidden" role="status" aria-live="polite">
        {title}
      </p>
      <div class={inside ? "frame" : "frame frame-bare"}>
        {inside ? (
          <>
            <header class="topbar">
              <Brand href="/" />
              <TeamSwitcher api={api} place={place} />
              <div class="topbar-end">
                <ThemeSwitch />
                <AccountMenu user={user} session={session} />
              </div>
            </header>
            <Navigation user={user} route={place.route} />
          </>
        ) : (
          <header class="barehead">
            <Brand />
            <ThemeSwitch />
          </header>
        )}
        <main id="main" tabIndex={-1} aria-busy={busy ? "true" : undefined}>
          {children}
        </main>
      </div>
      <Toaster />
    </>
  );
}

/** Moves the focus; the address stays, as this is no place in the view. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

interface Section {
  label: string;
  href: string;
  icon: IconName;
  /** Start of the names of the routes that belong to it. */
  routes: RegExp;
}

const HOME: Section = { label: "Home", href: "/", icon: "home", routes: /^(home|team|project)/ };
const INSIGHTS: Section = { label: "Insights", href: "/insights", icon: "insights", routes: /^insights/ };
const ADMIN: Section = { label: "Admin", href: "/admin", icon: "admin", routes: /^admin/ };
const ACCOUNT: Section = { label: "Account", href: "/account", icon: "account", routes: /^account/ };

function sectionsOf(user: User): Section[] {
  const insights = user.role === "user" ? [] : [INSIGHTS];
  const admin = user.role === "admin" ? [ADMIN] : [];
  return [HOME, ...insights, ...admin, ACCOUNT];
}

/** At the side; on phones at the bottom. */
function Navigation({ user, route }: { user: User; route: RouteName }) {
  return (
    <nav class="sidenav" aria-label="Main">
      {sectionsOf(user).map((section) => (
        <a key={section.href} href={section.href} aria-current={section.routes.test(route) ? "true" : undefined}>
          <Icon name={section.icon} />
          <span>{section.label}</span>
        </a>
      ))}
    </nav>
  );
}
