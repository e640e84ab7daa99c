import { baseLocale, isLocale, overwriteGetLocale, overwriteSetLocale } from "../paraglide/runtime";

export type Locale = "zh-CN" | "en";
export type Theme = "dark" | "light";
/** Which colour a rising price (and a buy) has: red in China, green in Europe. */
export type Convention = "red-up" | "green-up";

function stored(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function store(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

/** What the reader has chosen for the screen. */
class Ui {
  locale: Locale = $state(initialLocale());
  theme: Theme = $state(initialTheme());
  convention: Convention = $state(stored("duet-convention") === "green-up" ? "green-up" : "red-up");

  toggleLocale(): void {
    this.locale = this.locale === "en" ? "zh-CN" : "en";
    store("duet-locale", this.locale);
  }

  toggleTheme(): void {
    this.theme = this.theme === "dark" ? "light" : "dark";
    store("duet-theme", this.theme);
  }

  toggleConvention(): void {
    this.convention = this.convention === "red-up" ? "green-up" : "red-up";
    store("duet-convention", this.convention);
  }
}

function initialLocale(): Locale {
  const locale = stored("duet-locale");
  return locale !== null && isLocale(locale) ? locale : baseLocale;
}

function initialTheme(): Theme {
  const theme = stored("duet-theme");
  if (theme === "dark" || theme === "light") return theme;
  return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

export const ui = new Ui();

// Texts are read through the rune, so a change of language shows at once and keeps the focus.
overwriteGetLocale(() => ui.locale);
overwriteSetLocale(() => undefined);
