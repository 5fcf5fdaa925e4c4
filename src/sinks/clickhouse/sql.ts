// Just enough of ClickHouse's lexer to split scripts into statements and to refuse what a reader must not run.
// The engine's own `readonly = 1` stops writes and most reading table functions; what it lets through (INTO OUTFILE, KILL,
// several statements, the scalar function file(), DESCRIBE of a table function) is refused here. What this lexer does not
// model exactly (heredocs, nested comments, characters outside ASCII) is refused as well, so that both read alike.

import { UsageError } from '../../cli/verb.ts';

interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'sign';
  /** Word or sign as written; a quoted identifier's content; '' for strings. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /[0-9][A-Za-z0-9_]*/y;
const SPACE = /[ \t\r\n\f\v]+/y;

/** Tokens of `sql` without comments. Throws UsageError for what it cannot read for certain. */
export function tokenize(sql: string): Token[] {
  if (sql.includes('\0')) throw new UsageError('the SQL has a NUL character.');
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(sql)?.[0];
  };
  while (at < sql.length) {
    const start = at;
    const c = sql[at];
    const space = match(SPACE);
    const word = match(WORD);
    const number = match(NUMBER);
    if (space) at += space.length;
    else if (sql.startsWith('--', at)) at = after(sql, '\n', at);
    else if (sql.startsWith('/*', at)) at = endOfComment(sql, at);
    else if (c === "'" || c === '"' || c === '`') {
      at = endOfQuote(sql, at, c);
      const text = c === "'" ? '' : sql.slice(start + 1, at - 1);
      tokens.push({ kind: c === "'" ? 'string' : 'quoted', text, start, end: at });
    } else if (word) {
      at += word.length;
      tokens.push({ kind: 'word', text: word, start, end: at });
    } else if (number) {
      at += number.length;
      tokens.push({ kind: 'number', text: number, start, end: at });
    } else if (c === '#' || c === '$' || c < ' ' || c > '~') {
      throw new UsageError(
        `the SQL has ${JSON.stringify(c)} outside quotes (at character ${at + 1}), which is not read here.`,
      );
    } else tokens.push({ kind: 'sign', text: c, start, end: ++at });
  }
  return tokens;
}

function after(sql: string, what: string, from: number): number {
  const found = sql.indexOf(what, from);
  return found < 0 ? sql.length : found + what.length;
}

function endOfComment(sql: string, from: number): number {
  const end = sql.indexOf('*/', from + 2);
  if (end < 0) throw new UsageError('the SQL has a comment without an end.');
  if (sql.slice(from + 2, end).includes('/*')) throw new UsageError('the SQL has a comment inside a comment.');
  return end + 2;
}

/** Index after the closing quote. A backslash takes the next character with it; a doubled quote is one quote. */
function endOfQuote(sql: string, from: number, quote: string): number {
  for (let i = from + 1; i < sql.length; i++) {
    if (sql[i] === '\\') i++;
    else if (sql[i] === quote) {
      if (sql[i + 1] !== quote) return i + 1;
      i++;
    }
  }
  throw new UsageError(`the SQL has a ${quote} without its partner.`);
}

/** The statements of a script, without the semicolons. */
export function splitStatements(script: string): string[] {
  const statements: string[] = [];
  let start = -1;
  let end = 0;
  for (const token of tokenize(script)) {
    if (token.kind === 'sign' && token.text === ';') {
      if (start >= 0) statements.push(script.slice(start, end));
      start = -1;
    } else {
      if (start < 0) start = token.start;
      end = token.end;
    }
  }
  if (start >= 0) statements.push(script.slice(start, end));
  return statements;
}

const READING = new Set(['SELECT', 'WITH', 'SHOW', 'DESCRIBE', 'DESC', 'EXPLAIN', 'EXISTS', 'FROM']);

/** Table functions that read nothing but the database itself or nothing at all. All others are refused. */
const TABLE_FUNCTIONS = new Set([
  'numbers',
  'numbers_mt',
  'zeros',
  'zeros_mt',
  'generateseries',
  'generate_series',
  'values',
  'view',
  'null',
  'primes',
]);

/** Names (lower case) that read files, the network or other programs when they are called. */
const OUTSIDE = new RegExp(
  `^(${[
    'file.*',
    'url(cluster)?',
    'executable.*',
    'remote(secure)?',
    'cluster(allreplicas)?',
    's3.*|gcs|oss|cosn|hdfs.*|azureblob.*',
    'iceberg.*|deltalake.*|hudi.*|paimon.*|ytsaurus',
    'mysql|postgresql|mongodb|redis|sqlite|jdbc|odbc|dictionary|loop|input|eval|fuzzquery',
    'python|catboostevaluate|ai[a-z]*',
    'viewexplain|prometheusquery.*|timeseries(data|metrics|samples|selector|tags)',
    'merge(treeanalyzeindexes.*)?|arrowstream',
  ].join('|')})$`,
);

/** Throws UsageError unless `sql` is one statement that only reads what is stored. Returns it without a trailing semicolon. */
export function readOnlyStatement(sql: string): string {
  const statements = splitStatements(sql);
  if (statements.length === 0) throw new UsageError('there is no SQL to run.');
  if (statements.length > 1) throw new UsageError('one statement at a time, please.');
  const tokens = tokenize(statements[0]);
  const first = tokens.find((token) => token.text !== '(');
  if (first?.kind !== 'word' || !READING.has(first.text.toUpperCase()))
    throw new UsageError(
      `only reading statements run here (SELECT, WITH, SHOW, DESCRIBE, EXPLAIN, EXISTS), not '${first?.text ?? ''}'.`,
    );
  tokens.forEach((token, i) => {
    checkWord(token, tokens, i);
    checkCall(token, tokens[i + 1]);
  });
  checkFunctionNames(tokens);
  return statements[0];
}

function checkWord(token: Token, tokens: readonly Token[], i: number): void {
  if (token.kind !== 'word') return;
  const word = token.text.toUpperCase();
  const next = tokens[i + 1];
  if (word === 'OUTFILE') throw new UsageError('INTO OUTFILE is not run here; redirect the output instead.');
  if (
    word === 'FORMAT' &&
    (next?.kind === 'word' || next?.kind === 'quoted') &&
    !/^(asc|desc)$/i.test(next.text) &&
    !tokens[i + 2]
  )
    throw new UsageError('leave FORMAT out; choose with --format table|json|csv.');
}

function checkCall(token: Token, next: Token | undefined): void {
  if (token.kind === 'quoted' && token.text.includes('\\'))
    throw new UsageError('quoted names with a backslash are not read here.');
  if (token.kind !== 'word' && token.kind !== 'quoted') return;
  const name = token.text.toLowerCase();
  if (next?.text === '(' && next.kind === 'sign' && !TABLE_FUNCTIONS.has(name) && OUTSIDE.test(name))
    throw new UsageError(`${token.text}() reaches outside the stored data and is not run here.`);
}

/** A function's bare name can be handed to APPLY or to a higher-order function: `arrayMap(file, ['/etc/passwd'])`. */
function checkFunctionNames(tokens: readonly Token[]): void {
  const names = tokens.filter(({ kind }) => kind === 'word' || kind === 'quoted');
  const applies = names.some(({ text }) => /^(apply|array.*|map.*)$/i.test(text));
  if (!applies) return;
  tokens.forEach((token, i) => {
    if (token.kind !== 'word' && token.kind !== 'quoted') return;
    const qualified = i > 0 && tokens[i - 1].text === '.' && tokens[i - 1].kind === 'sign';
    if (!qualified && OUTSIDE.test(token.text.toLowerCase()))
      throw new UsageError(
        `'${token.text}' beside APPLY or an array function could be a function; write it as table.${token.text}.`,
      );
  });
}

export interface TableRead {
  /** '' where the statement names none. */
  readonly database: string;
  readonly table: string;
}

/** Tables that a reading statement names behind FROM, JOIN, or a comma between those; common table expressions are not among them. */
export function tablesRead(sql: string): TableRead[] {
  const tokens = tokenize(sql);
  const word = (i: number): string => (tokens[i]?.kind === 'word' ? tokens[i].text.toUpperCase() : '');
  const isName = (i: number): boolean => tokens[i]?.kind === 'word' || tokens[i]?.kind === 'quoted';
  const isSign = (i: number, sign: string): boolean => tokens[i]?.kind === 'sign' && tokens[i].text === sign;
  const own = new Set(tokens.filter((_, i) => word(i + 1) === 'AS' && isSign(i + 2, '(')).map(({ text }) => text));
  const found: TableRead[] = [];
  const read = (i: number): number => {
    if (!isName(i) || isSign(i + 1, '(')) return i;
    if (isSign(i + 1, '.') && isName(i + 2)) {
      found.push({ database: tokens[i].text, table: tokens[i + 2].text });
      return i + 3;
    }
    if (!own.has(tokens[i].text)) found.push({ database: '', table: tokens[i].text });
    return i + 1;
  };
  for (let i = 0; i < tokens.length; i++) {
    if (word(i) !== 'FROM' && word(i) !== 'JOIN') continue;
    for (let next = read(i + 1); ; ) {
      for (let alias = 0; alias < 2 && isName(next); alias++) next++; // AS and its name, or the name alone
      if (!isSign(next, ',')) break;
      next = read(next + 1);
    }
  }
  return found;
}
