import { ApiError } from "../api.ts";
import { Button, LinkButton } from "./button.tsx";

/** What stands where a view could not be loaded. */
export function Failure({ error, retry }: { error: unknown; retry(): void }) {
  const known = error instanceof ApiError;
  return (
    <div class="gate" role="alert">
      <h1 tabIndex={-1}>{known && error.code === "network" ? "No connection" : "This page did not load"}</h1>
      <p class="lede">{known ? error.message : "Something went wrong on this page. Nothing you entered elsewhere is lost."}</p>
      <div class="actions">
        <Button kind="primary" onClick={retry}>
          Try again
        </Button>
        <LinkButton href="/">Go to the home page</LinkButton>
      </div>
    </div>
  );
}
