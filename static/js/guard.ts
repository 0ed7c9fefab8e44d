// Who may see what, by the route table. Pure. The server decides again; this decides what is shown.

import type { Boot, Role } from "./boot.ts";
import type { RouteDef, Verdict } from "./visit.ts";

const RANK: Readonly<Record<Role, number>> = { user: 0, analyst: 1, admin: 2 };

type Shown = "login" | "not_found";

/**
 * Until set-up is finished every address leads to it. Then a signed-out visitor sees the login view at the same
 * address, and what a role is missing for is not found. Null: go on.
 */
export function guard(route: Pick<RouteDef, "who" | "when">, boot: Boot): Verdict<Shown> | null {
  const { user, setup } = boot;
  if (!setup.finished) return route.when === "setup" ? null : { redirect: "/setup" };
  if (route.when === "setup" || (route.when === "signup" && !setup.signup)) return { instead: "not_found" };
  if (route.when === "signup" && user) return { redirect: "/" };
  if (route.who === "anyone") return null;
  if (!user) return { instead: "login" };
  return RANK[user.role] < RANK[route.who] ? { instead: "not_found" } : null;
}
