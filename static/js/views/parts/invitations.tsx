import { useState } from "preact/hooks";

import { ApiError } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { When } from "../../components/when.tsx";
import type { PageContext } from "../../page.ts";
import { path } from "./path.ts";
import { teamRoleLabel } from "./roles.ts";
import type { ReceivedInvitation } from "./shapes.ts";

/** Invitations waiting for the reader's answer; nothing when there are none. */
export function Invitations({ invitations, ctx }: { invitations: readonly ReceivedInvitation[]; ctx: PageContext }) {
  if (invitations.length === 0) return null;
  return (
    <Card title={invitations.length === 1 ? "An invitation for you" : "Invitations for you"} flush>
      <ul class="list">
        {invitations.map((invitation) => <Invitation key={invitation.id} invitation={invitation} ctx={ctx} />)}
      </ul>
    </Card>
  );
}

function Invitation({ invitation, ctx }: { invitation: ReceivedInvitation; ctx: PageContext }) {
  const [busy, setBusy] = useState<"accept" | "decline" | null>(null);
  const { team } = invitation;

  async function answer(choice: "accept" | "decline") {
    setBusy(choice);
    try {
      await ctx.api.post(`${path`user/invitations/${invitation.id}`}/${choice}`);
      ctx.toast(choice === "accept" ? `You are now in ${team.name}` : `Invitation to ${team.name} declined`, "success");
      await ctx.reload();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      ctx.toast(error.message, "error");
      setBusy(null);
    }
  }

  return (
    <li class="list-row">
      <div class="list-main">
        <p class="list-title"><bdi>{team.name}</bdi></p>
        <p class="muted">
          {teamRoleLabel(invitation.role)}, invited by {invitation.invited_by} <When iso={invitation.created_at} />
        </p>
      </div>
      <div class="actions">
        <Button size="small" kind="quiet" busy={busy === "decline"} disabled={busy === "accept"} onClick={() => answer("decline")}>
          Decline<span class="visually-hidden"> the invitation to {team.name}</span>
        </Button>
        <Button size="small" kind="primary" busy={busy === "accept"} disabled={busy === "decline"} onClick={() => answer("accept")}>
          Accept<span class="visually-hidden"> the invitation to {team.name}</span>
        </Button>
      </div>
    </li>
  );
}
