import { tick } from "svelte";

/** The pages, by the first part of their path. */
export const PAGES = ["trade", "carbon", "statements", "rules"] as const;
export type PageName = (typeof PAGES)[number];

/** The page of a path; one that there is none for shows the main panel. */
export function pageOf(path: string): PageName {
  const name = path.split("/")[1] ?? "";
  return PAGES.find((page) => page === name) ?? "trade";
}

/** Which page is shown; the address follows. */
class Route {
  page: PageName = $state(pageOf(location.pathname));

  start(signal: AbortSignal): void {
    const back = () => (this.page = pageOf(location.pathname));
    window.addEventListener("popstate", back, { signal });
  }

  /** Shows another page and puts the focus on its start, as the browser would. */
  async go(page: PageName): Promise<void> {
    if (page === this.page) return;
    history.pushState(null, "", `/${page}`);
    this.page = page;
    await tick();
    window.scrollTo(0, 0);
    document.querySelector("main")?.focus();
  }
}

export const route = new Route();
