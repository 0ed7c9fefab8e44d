import { ApiError } from "../../api.ts";
import type { PageContext } from "../../page.ts";

/** Does `act`; a refusal of the server is told and the page shows again what is true. Returns whether it worked. */
export async function attempt(ctx: PageContext, act: () => Promise<unknown>, done: string): Promise<boolean> {
  try {
    await act();
    ctx.toast(done, "success");
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    ctx.toast(Object.values(error.fields)[0] ?? error.message, "error");
    return false;
  } finally {
    await ctx.reload().catch(() => undefined);
  }
}
