// --help texts, made from the verbs themselves.

import type { Verb } from './verb.ts';

export function helpForAll(verbs: readonly Verb[]): string {
  const width = Math.max(...verbs.map((verb) => verb.name.length));
  const rows = verbs.map((verb) => `  ${verb.name.padEnd(width)}  ${verb.summary}`);
  return [
    'weir: raw telemetry in; stored flows, rollups and ATT&CK-mapped alerts out',
    '',
    'usage: weir VERB [options]        weir VERB --help tells more        weir --version',
    '',
    ...rows,
    '',
    'try:   weir demo',
    '',
  ].join('\n');
}

export function helpFor(verb: Verb): string {
  const lines = [`usage: weir ${verb.name} ${verb.usage}`.trimEnd(), '', verb.summary, ''];
  const options = Object.entries(verb.options).map(([name, option]) => {
    const short = option.short ? `-${option.short}, ` : '';
    const argument = option.type === 'string' ? ` ${option.argument ?? 'VALUE'}` : '';
    const fallback = option.default === undefined || option.default === false ? '' : ` (default ${option.default})`;
    return [`${short}--${name}${argument}`, `${option.help}${fallback}`];
  });
  if (options.length > 0) {
    const width = Math.max(...options.map(([flag]) => flag.length));
    lines.push('options:', ...options.map(([flag, text]) => `  ${flag.padEnd(width)}  ${text}`), '');
  }
  if (verb.examples.length > 0) lines.push('examples:', ...verb.examples.map((example) => `  ${example}`), '');
  return lines.join('\n');
}
