import { useState } from "preact/hooks";

import { ApiError, type Api } from "../api.ts";
import { Icon } from "./icon.tsx";
import type { Place } from "./layout.tsx";
import { Menu } from "./menu.tsx";

interface Team {
  id: string;
  name: string;
}

/** The person's teams, fetched when the panel opens. */
export function TeamSwitcher({ api, place }: { api: Api; place: Place }) {
  const [teams, setTeams] = useState<readonly Team[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const current = place.params["team"];

  async function open() {
    try {
      setTeams((await api.get<{ teams: Team[] }>("teams")).teams);
      setError(null);
    } catch (reason) {
      setError(reason instanceof ApiError ? reason.message : "The teams could not be loaded.");
    }
  }

  return (
    <Menu
      onOpen={open}
      button={
        <>
          <Icon name="team" />
          <span class="menu-text">{teams?.find((team) => team.id === current)?.name ?? "Teams"}</span>
          <Icon name="chevron" />
        </>
      }
    >
      <div class="menu-scroll">
        {error && <p class="menu-note">{error}</p>}
        {!error && teams === null && <p class="menu-note">Loading…</p>}
        {teams?.length === 0 && <p class="menu-note">You are not in a team yet.</p>}
        {teams?.map((team) => (
          <a key={team.id} class="menu-item" href={`/team/${encodeURIComponent(team.id)}`} aria-current={team.id === current ? "true" : undefined}>
            <span class="menu-text">{team.name}</span>
            {team.id === current && <Icon name="check" />}
          </a>
        ))}
      </div>
      <hr />
      <a class="menu-item" href="/team/create">
        <Icon name="plus" />
        New team
      </a>
    </Menu>
  );
}
