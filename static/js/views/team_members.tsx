import { useState } from "preact/hooks";

import { Button } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { SkeletonHeader, SkeletonTable } from "../components/skeleton.tsx";
import { plural } from "../charts/format.ts";
import { definePage, type PageContext } from "../page.ts";
import { InviteDialog } from "./parts/invite_dialog.tsx";
import { MemberTable } from "./parts/member_table.tsx";
import { param, path } from "./parts/path.ts";
import { mayManage } from "./parts/roles.ts";
import { SentInvitations } from "./parts/sent_invitations.tsx";
import type { Member, SentInvitation, Team } from "./parts/shapes.ts";
import { TeamHeader } from "./parts/team_header.tsx";

interface Data {
  readonly team: Team;
  readonly members: readonly Member[];
  /** Empty for those who may not see them. */
  readonly invitations: readonly SentInvitation[];
}

export default definePage<Data>({
  async load({ params, api, signal }) {
    const id = param(params, "team");
    const [team, { members }] = await Promise.all([
      api.get<Team>(path`teams/${id}`, { signal }),
      api.get<{ members: Member[] }>(path`teams/${id}/members`, { signal }),
    ]);
    if (!mayManage(team.role)) return { team, members, invitations: [] };
    const { invitations } = await api.get<{ invitations: SentInvitation[] }>(path`teams/${id}/invitations`, { signal });
    return { team, members, invitations };
  },
  View: TeamMembers,
  title: ({ team }) => `${team.name} · Members`,
  subjects: ({ team }) => ({ team: team.pseudonym }),
  Skeleton: () => <><SkeletonHeader tabs /><SkeletonTable count={8} /></>,
});

function TeamMembers({ data: { team, members, invitations }, ctx }: { data: Data; ctx: PageContext }) {
  const [inviting, setInviting] = useState(false);
  const manages = mayManage(team.role);
  return (
    <>
      <TeamHeader
        team={team}
        tab="members"
        actions={manages && <Button kind="primary" icon="plus" onClick={() => setInviting(true)}>Invite</Button>}
      />
      <div class="stack">
        {invitations.length > 0 && (
          <Card title="Invited" flush><SentInvitations team={team} invitations={invitations} ctx={ctx} /></Card>
        )}
        <Card title={plural(members.length, "member")} flush><MemberTable team={team} members={members} ctx={ctx} /></Card>
      </div>
      {manages && <InviteDialog open={inviting} team={team} ctx={ctx} onClose={() => setInviting(false)} />}
    </>
  );
}
