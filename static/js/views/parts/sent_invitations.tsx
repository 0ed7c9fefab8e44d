import { Button } from "../../components/button.tsx";
import { When } from "../../components/when.tsx";
import type { PageContext } from "../../page.ts";
import { attempt } from "./attempt.ts";
import { path } from "./path.ts";
import { teamRoleLabel } from "./roles.ts";
import type { SentInvitation, Team } from "./shapes.ts";

interface Props {
  readonly team: Team;
  readonly invitations: readonly SentInvitation[];
  readonly ctx: PageContext;
}

/** Invitations of a team that nobody has answered yet. */
export function SentInvitations({ team, invitations, ctx }: Props) {
  const withdraw = (invitation: SentInvitation) =>
    void attempt(
      ctx,
      () => ctx.api.delete(path`teams/${team.id}/invitations/${invitation.id}`),
      `Invitation of ${invitation.username} withdrawn`,
    );
  return (
    <ul class="list">
      {invitations.map((invitation) => (
        <li key={invitation.id} class="list-row">
          <span class="list-main">
            <span class="list-title">{invitation.username}</span>
            <span class="muted">
              {teamRoleLabel(invitation.role)}, invited by {invitation.invited_by} <When iso={invitation.created_at} />
            </span>
          </span>
          <Button kind="quiet" size="small" onClick={() => withdraw(invitation)}>
            Withdraw<span class="visually-hidden"> the invitation of {invitation.username}</span>
          </Button>
        </li>
      ))}
    </ul>
  );
}
