// The members of a JSON object that was read but not parsed: what a plan asks of them, so that no strings are made of values
// that nobody looks at. Whoever reads JSON implements it.

export const MEMBER_KIND = {
  /** ASCII without escapes. */
  text: 1,
  /** ASCII with no other escapes than `\\` and `\"`. */
  escapedText: 2,
  /** Texts with other escapes, or with characters beyond ASCII. */
  oddText: 3,
  number: 4,
  true: 5,
  false: 6,
  null: 7,
  object: 8,
  array: 9,
} as const;

/** Keys have numbers. All of them become void when `version` rises. */
export interface MemberNames {
  readonly version: number;
  /** By number. */
  readonly keys: readonly string[];
}

/** Members of many records, those of one in a row, objects before what they hold; what stands inside of arrays is not listed. */
export interface MemberTape {
  readonly names: MemberNames;
  readonly bytes: Uint8Array;
  /** By member: the one that holds it, or -1. */
  readonly parent: Int32Array;
  /** See MEMBER_KIND. */
  readonly kind: Uint8Array;
  /** Number of its key. */
  readonly name: Int16Array;
  /** Where its value stands: of a text without the quotes. */
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  /** The text of a text, the bytes of a number or word as text. */
  text(member: number): string;
  /** The value as JSON.parse has it, but integers that a double cannot hold as text with all their digits. */
  value(member: number): unknown;
}
