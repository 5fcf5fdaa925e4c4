// What may be logged of a value: never a secret, neither under its key nor inside another text (an error of a client that tells
// with which options it failed).

const HIDDEN = '[redacted]';
/** Keys whose values are hidden whatever they are. */
const SECRET_KEY = /pass(word|wd|phrase)|secret|credential|private_?key|authorization/i;
const DEEPEST = 6;

export class Scrubber {
  private readonly secrets: readonly string[];

  constructor(secrets: readonly string[]) {
    const forms = secrets.filter((secret) => secret !== '').flatMap(spellings);
    this.secrets = [...new Set(forms)].sort((a, b) => b.length - a.length); // the longer one first: one may hold another
  }

  text(text: string): string {
    return this.secrets.reduce((scrubbed, secret) => scrubbed.replaceAll(secret, HIDDEN), text);
  }

  value(value: unknown, depth = 0): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (depth === DEEPEST) return '…';
    if (value instanceof Error) return this.error(value, depth);
    if (Array.isArray(value)) return value.map((item) => this.value(item, depth + 1));
    return this.fields(value as Record<string, unknown>, depth);
  }

  fields(fields: Readonly<Record<string, unknown>>, depth = 0): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [key, SECRET_KEY.test(key) ? HIDDEN : this.value(value, depth + 1)]),
    );
  }

  private error(error: Error, depth: number): Record<string, unknown> {
    const { name, message, stack = '', cause, ...more } = error;
    return {
      ...this.fields(more as Record<string, unknown>, depth),
      type: name,
      message: this.text(message),
      stack: this.text(stack),
      ...(cause === undefined ? {} : { cause: this.value(cause, depth + 1) }),
    };
  }
}

/** As it is, and as it stands inside a URL, a JSON text or HTTP basic authentication's Base64. */
function spellings(secret: string): string[] {
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64'),
  ];
}
