// What a configuration key is. The schema is a tree of these nodes; its TypeScript type, the validation, the reference
// page and the JSON Schema all follow from the tree, so a key is declared once.

export type Scalar =
  /** Free text; `choices` or `format` narrow it. */
  | 'text'
  | 'integer'
  | 'boolean'
  /** Bytes: a number, or text such as 64MiB, 1.5GB, 512k. */
  | 'size'
  /** Milliseconds inside; written as 5m, 1h30m, 250ms, or a number of seconds. */
  | 'duration'
  /** A file or folder, relative to the file that names it. */
  | 'path';

/** Checks that `validate.ts` makes on text. */
export type TextFormat = 'slug' | 'uuid' | 'prefix' | 'timezone' | 'zone' | 'name' | 'pop' | 'topic' | 'keyspace';

export interface Leaf<T = unknown> {
  readonly kind: 'leaf';
  readonly scalar: Scalar;
  readonly doc: string;
  /** Undefined: the key must be given. */
  readonly initial: T | undefined;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly choices?: readonly string[];
  readonly format?: TextFormat;
  /** What the number counts, for the reference page. */
  readonly unit?: string;
  /** What the reference page shows as the default, where `initial` only stands for it. */
  readonly standIn?: string;
  /** Never written anywhere: see secrets.ts. */
  readonly secret?: true;
}

export interface Section<F extends Fields = Fields> {
  readonly kind: 'section';
  readonly doc: string;
  readonly fields: F;
}

export interface ListNode<N extends Node = Node> {
  readonly kind: 'list';
  readonly doc: string;
  readonly of: N;
}

/** Text to text. */
export interface MapNode {
  readonly kind: 'map';
  readonly doc: string;
}

/** Anything that JSON can hold; another part of the product reads it. */
export interface AnyNode {
  readonly kind: 'any';
  readonly doc: string;
}

export type Node = Leaf | Section | ListNode | MapNode | AnyNode;
export interface Fields {
  readonly [key: string]: Node;
}

/** The value that a node describes. */
export type Infer<N> = N extends { kind: 'leaf'; initial: infer T }
  ? Exclude<T, undefined>
  : N extends { kind: 'section'; fields: infer F }
    ? { readonly [K in keyof F]: Infer<F[K]> }
    : N extends { kind: 'list'; of: infer M }
      ? readonly Infer<M>[]
      : N extends { kind: 'map' }
        ? Readonly<Record<string, string>>
        : unknown;

type Bounds = Pick<Leaf, 'minimum' | 'maximum' | 'unit' | 'standIn'>;

export const text = (initial: string | undefined, doc: string, format?: TextFormat): Leaf<string> => ({
  kind: 'leaf',
  scalar: 'text',
  doc,
  initial,
  ...(format ? { format } : {}),
});
/** Text that nobody may read in a log. */
export const secret = (doc: string): Leaf<string> => ({ kind: 'leaf', scalar: 'text', doc, initial: '', secret: true });
export const choice = <const C extends string>(choices: readonly C[], initial: NoInfer<C>, doc: string): Leaf<C> => ({
  kind: 'leaf',
  scalar: 'text',
  doc,
  initial,
  choices,
});
export const path = (initial: string | undefined, doc: string): Leaf<string> => ({
  kind: 'leaf',
  scalar: 'path',
  doc,
  initial,
});
export const integer = (initial: number | undefined, bounds: Bounds, doc: string): Leaf<number> => ({
  kind: 'leaf',
  scalar: 'integer',
  doc,
  initial,
  ...bounds,
});
export const size = (initial: number, bounds: Bounds, doc: string): Leaf<number> => ({
  kind: 'leaf',
  scalar: 'size',
  doc,
  initial,
  unit: 'bytes',
  ...bounds,
});
export const duration = (initial: number, bounds: Bounds, doc: string): Leaf<number> => ({
  kind: 'leaf',
  scalar: 'duration',
  doc,
  initial,
  ...bounds,
});
export const flag = (initial: boolean, doc: string): Leaf<boolean> => ({
  kind: 'leaf',
  scalar: 'boolean',
  doc,
  initial,
});
export const section = <F extends Fields>(doc: string, fields: F): Section<F> => ({ kind: 'section', doc, fields });
export const list = <N extends Node>(doc: string, of: N): ListNode<N> => ({ kind: 'list', doc, of });
export const map = (doc: string): MapNode => ({ kind: 'map', doc });
export const any = (doc: string): AnyNode => ({ kind: 'any', doc });
