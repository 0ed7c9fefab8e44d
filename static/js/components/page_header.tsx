import type { ComponentChildren } from "preact";

import { Icon } from "./icon.tsx";

export interface Crumb {
  label: string;
  /** Without one the crumb is plain text. */
  href?: string;
}

export interface TabItem {
  label: string;
  href: string;
  current: boolean;
}

interface PageHeaderProps {
  title: string;
  lede?: ComponentChildren;
  /** The way here, without the page itself. */
  crumbs?: readonly Crumb[];
  actions?: ComponentChildren;
  tabs?: readonly TabItem[];
}

/** Every view starts with one; its h1 receives the focus after a navigation. */
export function PageHeader({ title, lede, crumbs, actions, tabs }: PageHeaderProps) {
  return (
    <header class={tabs ? "page-header page-header-tabs" : "page-header"}>
      {crumbs && crumbs.length > 0 && <Breadcrumbs items={crumbs} />}
      <div class="page-header-row">
        <div>
          <h1 tabIndex={-1}><bdi>{title}</bdi></h1>
          {lede && <p class="lede">{lede}</p>}
        </div>
        {actions && <div class="actions">{actions}</div>}
      </div>
      {tabs && <Tabs label={title} items={tabs} />}
    </header>
  );
}

export function Breadcrumbs({ items }: { items: readonly Crumb[] }) {
  return (
    <nav class="breadcrumbs" aria-label="Breadcrumbs">
      <ol>
        {items.map((item) => (
          <li key={item.label}>
            {item.href ? <a href={item.href}><bdi>{item.label}</bdi></a> : <bdi>{item.label}</bdi>}
            <Icon name="right" />
          </li>
        ))}
      </ol>
    </nav>
  );
}

/** Links that look like tabs: each has an address of its own. */
export function Tabs({ label, items }: { label: string; items: readonly TabItem[] }) {
  return (
    <nav class="tabs" aria-label={label}>
      {items.map((item) => (
        <a key={item.href} href={item.href} aria-current={item.current ? "page" : undefined}>
          {item.label}
        </a>
      ))}
    </nav>
  );
}
