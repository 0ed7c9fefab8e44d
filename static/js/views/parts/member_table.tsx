import { useState } from "preact/hooks";

import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { Table, type Column } from "../../components/table.tsx";
import { When } from "../../components/when.tsx";
import type { PageContext } from "../../page.ts";
import { attempt } from "./attempt.ts";
import { path } from "./path.ts";
import { Person } from "./person.tsx";
import { RoleSelect } from "./role_select.tsx";
import { mayManage, TEAM_ROLES, teamRoleLabel } from "./roles.ts";
import type { Member, Team } from "./shapes.ts";

interface Props {
  readonly team: Team;
  readonly members: readonly Member[];
  readonly ctx: PageContext;
}

/** Who is in the team; owners change roles and remove people here. */
export function MemberTable({ team, members, ctx }: Props) {
  const [leaving, setLeaving] = useState<Member | null>(null);
  const manages = mayManage(team.role);
  const lastOwner = members.filter((member) => member.role === "owner").length === 1;

  const setRole = (member: Member, role: string) =>
    void attempt(ctx, () => ctx.api.patch(path`teams/${team.id}/members/${member.id}`, { role }), `Role of ${member.username} changed`);

  const columns: Column<Member>[] = [
    {
      key: "member", label: "Member", sort: (member) => member.username,
      cell: (member) => <Person username={member.username} name={member.name} you={member.id === ctx.user?.id} />,
    },
    {
      key: "role", label: "Role", sort: (member) => member.role,
      cell: (member) => (manages ? (
        <RoleSelect
          label={`Role of ${member.username}`}
          value={member.role}
          options={TEAM_ROLES}
          disabled={lastOwner && member.role === "owner"}
          onChange={(role) => setRole(member, role)}
        />
      ) : teamRoleLabel(member.role)),
    },
    {
      key: "joined", label: "Joined", align: "end", minor: true, sort: (member) => member.joined_at,
      cell: (member) => <When iso={member.joined_at} />,
    },
  ];
  if (manages) {
    columns.push({
      key: "remove", label: "Remove", bare: true, align: "end",
      cell: (member) => (lastOwner && member.role === "owner" ? null : (
        <Button kind="quiet" size="small" onClick={() => setLeaving(member)}>
          {member.id === ctx.user?.id ? "Leave" : <>Remove<span class="visually-hidden"> {member.username}</span></>}
        </Button>
      )),
    });
  }

  return (
    <>
      <Table caption={`Members of ${team.name}`} columns={columns} rows={members} rowKey={(member) => member.id} />
      <RemoveDialog team={team} member={leaving} ctx={ctx} onClose={() => setLeaving(null)} />
    </>
  );
}

function RemoveDialog({ team, member, ctx, onClose }: { team: Team; member: Member | null; ctx: PageContext; onClose(): void }) {
  const self = member?.id === ctx.user?.id;
  async function remove() {
    if (!member) return;
    await ctx.api.delete(path`teams/${team.id}/members/${member.id}`);
    ctx.toast(self ? `You have left ${team.name}` : `${member.username} removed`, "success");
    if (self) ctx.navigate("/", { replace: true });
    else await ctx.reload();
  }
  return (
    <ConfirmDialog
      open={member !== null}
      title={self ? `Leave ${team.name}?` : `Remove ${member?.username ?? ""} from ${team.name}?`}
      action={self ? "Leave team" : "Remove"}
      danger
      onConfirm={remove}
      onClose={onClose}
    >
      <p>{self ? "You lose" : "They lose"} access to the team and its projects. What was created stays; a new invitation brings back access.</p>
    </ConfirmDialog>
  );
}
