import { LinkButton } from "../components/button.tsx";
import { definePage } from "../page.ts";

function NotFound() {
  return (
    <div class="gate">
      <p class="gate-code">404</p>
      <h1 tabIndex={-1}>Not found</h1>
      <p class="lede">This page does not exist, or it is not yours to see. The address may have a typing error, or what it named has been deleted.</p>
      <div class="actions">
        <LinkButton href="/" kind="primary">
          Go to the home page
        </LinkButton>
      </div>
    </div>
  );
}

export default definePage({ load: () => Promise.resolve(null), View: NotFound });
