// Windows events as forwarders nest them → their fields under the names that rules use, beside what is there. Rendered XML
// (`Event.System`, `Event.EventData`, with attributes under `#attributes`, `@Name` or plain names) and winlogbeat (`winlog.*`).

import { isObject } from './log-source.ts';

type Fields = Record<string, unknown>;

/** The same object where nothing is nested; else a copy in which the event's own top-level keys win. */
export function hoistWindowsEvent(fields: Fields): Fields {
  const event = part(fields, 'Event');
  const system = part(event ?? fields, 'System');
  const winlog = part(fields, 'winlog');
  const holder = event ?? winlog ?? fields;
  const data = part(holder, 'EventData') ?? part(holder, 'event_data');
  const user = part(holder, 'UserData') ?? part(holder, 'user_data');
  if (system === null && winlog === null && data === null) return fields;
  return {
    ...(user === null ? {} : (Object.values(user).find(isObject) ?? user)),
    ...(data === null ? {} : dataOf(data)),
    ...(system === null ? {} : systemOf(system)),
    ...(winlog === null ? {} : winlogOf(winlog)),
    ...fields,
  };
}

function part(holder: Fields, key: string): Fields | null {
  const value = Object.hasOwn(holder, key) ? holder[key] : null;
  return isObject(value) ? value : null;
}

/** `EventData` as a mapping, or as the list `Data` of names and values. */
function dataOf(data: Fields): Fields {
  const list = Object.hasOwn(data, 'Data') ? data.Data : null;
  if (!Array.isArray(list)) return data;
  const named = list.filter(isObject).flatMap((item) => {
    const name = attribute(item, 'Name');
    return typeof name === 'string' && name !== '' ? [[name, textOf(item)] as const] : [];
  });
  return { ...data, ...Object.fromEntries(named) };
}

function systemOf(system: Fields): Fields {
  const found: Fields = {
    EventID: textOf(own(system, 'EventID')),
    Channel: own(system, 'Channel'),
    Computer: own(system, 'Computer'),
    Provider_Name: named(own(system, 'Provider'), 'Name'),
    SystemTime: named(own(system, 'TimeCreated'), 'SystemTime'),
    EventRecordID: own(system, 'EventRecordID'),
    Level: own(system, 'Level'),
  };
  return present(found);
}

function winlogOf(winlog: Fields): Fields {
  return present({
    EventID: own(winlog, 'event_id'),
    Channel: own(winlog, 'channel'),
    Computer: own(winlog, 'computer_name'),
    Provider_Name: own(winlog, 'provider_name'),
    EventRecordID: own(winlog, 'record_id'),
  });
}

function present(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

function own(holder: Fields, key: string): unknown {
  return Object.hasOwn(holder, key) ? holder[key] : undefined;
}

function named(value: unknown, name: string): unknown {
  return isObject(value) ? attribute(value, name) : value;
}

function attribute(element: Fields, name: string): unknown {
  const attributes = part(element, '#attributes') ?? part(element, '$') ?? element;
  return own(attributes, name) ?? own(element, `@${name}`);
}

/** The text of an element that has attributes beside it. */
function textOf(value: unknown): unknown {
  if (!isObject(value)) return value;
  return own(value, '#text') ?? own(value, 'text') ?? own(value, '_') ?? own(value, 'Value') ?? own(value, 'value');
}
