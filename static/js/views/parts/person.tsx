import { Badge } from "../../components/badge.tsx";

interface Props {
  readonly username: string;
  readonly name: string;
  readonly you?: boolean;
  readonly suspended?: boolean;
}

/** A user as people know them: the name when there is one, and always the user name. */
export function Person({ username, name, you, suspended }: Props) {
  return (
    <span class="person">
      <span class="person-name"><bdi>{name || username}</bdi></span>
      {name && name !== username && <span class="muted">{username}</span>}
      {you && <Badge>You</Badge>}
      {suspended && <Badge tone="warning">Suspended</Badge>}
    </span>
  );
}
