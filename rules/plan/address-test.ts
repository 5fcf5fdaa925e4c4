// Which tests of an address field are tests of prefixes, so that one longest-prefix lookup answers all of them.

import type { FieldTest } from '../predicate.ts';
import type { AddressCodec } from './table.ts';

export type AddressPrefix = { readonly words: Uint32Array; readonly bits: number };

/** The prefixes whose members pass the test; null when the test does not come down to prefixes. */
export function prefixesOf(test: FieldTest, addresses: AddressCodec): AddressPrefix[] | null {
  if (test.test === 'cidr') return present(test.prefixes.map((text) => addresses.parsePrefix(text)));
  if (test.test === 'equals') {
    // An address has one canonical text; any spelling of it in a rule means the same address.
    return present(test.values.map((text) => (text.includes('/') ? null : addresses.parsePrefix(text))));
  }
  if (test.test !== 'startswith') return null;
  const prefixes: AddressPrefix[] = [];
  for (const value of test.values) {
    const prefix = prefixOfText(value, addresses, test.cased);
    if (prefix === null) return null;
    prefixes.push(prefix);
  }
  return prefixes;
}

function present(prefixes: readonly (AddressPrefix | null)[]): AddressPrefix[] {
  return prefixes.filter((prefix) => prefix !== null);
}

/** `10.` and `192.168.` are octets in full; `2001:db8:` are groups in full, none of them zero (which might be squeezed). */
function prefixOfText(text: string, addresses: AddressCodec, cased: boolean): AddressPrefix | null {
  if (/^(?:(?:0|[1-9]\d{0,2})\.){1,3}$/.test(text)) {
    const octets = text.split('.').length - 1;
    return addresses.parsePrefix(
      `${text}${Array(4 - octets)
        .fill('0')
        .join('.')}/${octets * 8}`,
    );
  }
  const lower = text.toLowerCase();
  if ((cased && lower !== text) || !/^(?:[1-9a-f][0-9a-f]{0,3}:){1,7}$/.test(lower)) return null;
  const groups = lower.split(':').length - 1;
  return addresses.parsePrefix(`${lower}${groups === 7 ? '0' : ':'}/${groups * 16}`);
}
