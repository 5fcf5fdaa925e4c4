// What a text must contain so that a regular expression can match it: one of some literals. Used to ask expensive expressions
// only where they may match, so whatever is not understood means "no literals known", never a wrong one.

/** More than these are as good as none. */
const MOST = 64;

/** Letters whose escape stands for a class or a place, not for a character. */
const CLASSES = new Set('dDwWsSbBAzZ');
const CONTROLS = new Set('nrtfvae');

/**
 * In lower case, ASCII, not empty; null when nothing is known. The best of what each match must contain, for texts in lower case.
 */
export function literalsOfRegex(source: string, flags: string): readonly string[] | null {
  const folds = flags.includes('i') || /\(\?[ms]*i/.test(source);
  try {
    return bestOf(new Parser(source, folds).whole());
  } catch (error) {
    if (error instanceof Unknown) return null;
    throw error;
  }
}

class Unknown extends Error {}

/** Sets of literals, of each of which a match contains one. */
type Needs = readonly (readonly string[])[];

function bestOf(needs: Needs): readonly string[] | null {
  let best: readonly string[] | null = null;
  let bestScore = 0;
  for (const need of needs) {
    const shortest = Math.min(...need.map(({ length }) => length));
    const score = shortest - Math.log2(need.length) / 4;
    if (shortest > 0 && need.length <= MOST && score > bestScore) {
      best = need;
      bestScore = score;
    }
  }
  return best;
}

class Parser {
  private readonly source: string;
  private readonly folds: boolean;
  private at = 0;

  constructor(source: string, folds: boolean) {
    this.source = source;
    this.folds = folds;
  }

  whole(): Needs {
    const needs = this.alternatives();
    if (this.at < this.source.length) throw new Unknown(); // a parenthesis too many
    return needs;
  }

  /** Up to the end, or to the `)` that closes what it is called for. */
  private alternatives(): Needs {
    const all = [this.sequence()];
    while (this.source[this.at] === '|') {
      this.at++;
      all.push(this.sequence());
    }
    if (all.length === 1) return all[0];
    const each = all.map(bestOf);
    return each.some((one) => one === null) ? [] : [each.flatMap((one) => one ?? [])];
  }

  private sequence(): Needs {
    const { source } = this;
    const needs: (readonly string[])[] = [];
    let run = '';
    const end = (): void => {
      if (run !== '') needs.push([run]);
      run = '';
    };
    while (this.at < source.length && source[this.at] !== '|' && source[this.at] !== ')') {
      const inner = source[this.at] === '(' ? this.group() : null;
      const char = inner === null ? this.character() : null;
      const least = this.quantifier();
      if (char !== null && least === 'once') {
        run += char;
        continue;
      }
      if (char !== null && least === 'more') run += char;
      end();
      if (inner !== null && least !== 'maybe') needs.push(...inner);
    }
    end();
    return needs;
  }

  private group(): Needs {
    const { source } = this;
    this.at++;
    if (source[this.at] === '?') {
      const opening = /^\?(?:P?<[A-Za-z_]\w*>|[ims]*:|[ims]+\))/.exec(source.slice(this.at));
      if (opening === null) throw new Unknown();
      this.at += opening[0].length;
      if (opening[0].endsWith(')')) return []; // flags for what follows: all literals fold anyway
    }
    const needs = this.alternatives();
    if (source[this.at] !== ')') throw new Unknown();
    this.at++;
    return needs;
  }

  /** The character that stands here, in lower case; null for what is no single ASCII character. */
  private character(): string | null {
    const { source } = this;
    const char = source[this.at++];
    if (char === '[') return this.set();
    if (char === '\\') return this.escape();
    if (char === '.' || char === '^' || char === '$') return null;
    if (char === '*' || char === '+' || char === '?') throw new Unknown();
    return this.plain(char);
  }

  private escape(): null | string {
    const char = this.source[this.at++];
    if (char === undefined) throw new Unknown();
    if (CLASSES.has(char) || CONTROLS.has(char)) return null;
    if (/[A-Za-z0-9]/.test(char)) throw new Unknown(); // \x41, \p{…}, \Q…\E and the like
    return this.plain(char);
  }

  private set(): null {
    const { source } = this;
    if (source[this.at] === '^') this.at++;
    if (source[this.at] === ']') this.at++;
    for (; source[this.at] !== ']'; this.at++) {
      if (this.at >= source.length || source[this.at] === '[') throw new Unknown();
      if (source[this.at] === '\\') this.at++;
    }
    this.at++;
    return null;
  }

  /** How often what stands before it must come. */
  private quantifier(): 'once' | 'more' | 'maybe' {
    const found = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(this.source.slice(this.at, this.at + 16));
    if (found === null) return 'once';
    this.at += found[0].length;
    if (this.source[this.at] === '?') this.at++;
    return found[0] === '+' || /^\{0*[1-9]/.test(found[0]) ? 'more' : 'maybe';
  }

  /** An expression that folds takes ſ for s, which is not its lower case. */
  private plain(char: string): string | null {
    const lower = char.toLowerCase();
    return char.charCodeAt(0) > 127 || (this.folds && lower === 's') ? null : lower;
  }
}
