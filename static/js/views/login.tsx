import { definePage, type PageContext } from "../page.ts";
import { SignInForm } from "./parts/sign_in_form.tsx";

/** Stands at whatever address a signed-out visitor asks for, and makes place for it. */
function Login({ ctx }: { data: null; ctx: PageContext }) {
  const wanted = location.pathname !== "/";
  return (
    <div class="gate">
      <h1 tabIndex={-1}>Sign in</h1>
      <p class="lede">{wanted ? "Sign in to see this page." : "Welcome back."}</p>
      <SignInForm ctx={ctx} />
      {ctx.boot.setup.signup && (
        <p class="gate-foot">
          New here? <a href="/account/register">Create an account</a>
        </p>
      )}
    </div>
  );
}

export default definePage({ load: () => Promise.resolve(null), View: Login });
