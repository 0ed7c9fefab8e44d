import { Badge } from "../../components/badge.tsx";

/** A user as people know them: the name when there is one, and always the user name. */
export function Person({ username, name, you }: { username: string; name: string; you?: boolean }) {
  return (
    <span class="person">
      <span class="person-name">{name || username}</span>
      {name && name !== username && <span class="muted">{username}</span>}
      {you && <Badge>You</Badge>}
    </span>
  );
}
