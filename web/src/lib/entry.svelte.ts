import { parse, type Measure } from "./units.ts";

/** A number that a person types: the text, and the ledger's integer that it means. */
export class Entry {
  readonly measure: Measure;
  text: string = $state("");

  constructor(measure: Measure, text = "") {
    this.measure = measure;
    this.text = text;
  }

  get blank(): boolean {
    return this.text.trim() === "";
  }

  /** Null while the text is no number of this measure. */
  get value(): bigint | null {
    return parse(this.measure, this.text);
  }

  /** The value where it is more than nothing, or else null. */
  get positive(): bigint | null {
    const { value } = this;
    return value !== null && value > 0n ? value : null;
  }

  clear(): void {
    this.text = "";
  }
}
