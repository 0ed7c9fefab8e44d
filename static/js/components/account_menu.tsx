import { ApiError } from "../api.ts";
import type { User } from "../boot.ts";
import type { Session } from "../session.ts";
import { Icon } from "./icon.tsx";
import { Menu } from "./menu.tsx";
import { toast } from "./toast.tsx";

/** The first letters of a name's first and last word. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return ends.map((word) => Array.from(word ?? "")[0] ?? "").join("").toUpperCase();
}

export function AccountMenu({ user, session }: { user: User; session: Session }) {
  const name = user.name || user.username;

  async function logout() {
    try {
      await session.logout();
    } catch (error) {
      toast(error instanceof ApiError ? error.message : "Signing out did not work. Try again.", "error");
    }
  }

  return (
    <Menu button={<span class="avatar" data-initials={initials(name)} />} label={`Account of ${name}`} align="end">
      <div class="menu-head">
        <strong>{name}</strong>
        <span class="muted">{user.username}</span>
      </div>
      <a class="menu-item" href="/account">
        <Icon name="account" />
        Profile
      </a>
      <a class="menu-item" href="/account/security">
        <Icon name="lock" />
        Security
      </a>
      <a class="menu-item" href="/account/privacy">
        <Icon name="admin" />
        Privacy
      </a>
      <hr />
      <button type="button" class="menu-item" onClick={logout}>
        <Icon name="logout" />
        Sign out
      </button>
    </Menu>
  );
}
