import { type UiPermission, uiPermissions } from '../../contract/permissions.ts';
import { faultOfName, type NameList, resourceName } from './names.ts';
import type { Reader } from './reader.ts';

/** Reads the UI permissions of one scope: each a list of servers or agents, in which only `all` stands for every one. */
export function readUiPermissions<P>(
  reader: Reader<P>,
  place: P,
  scope: string,
): Partial<Record<UiPermission, NameList>> {
  const read: Partial<Record<UiPermission, NameList>> = {};
  for (const { key, at, value } of reader.entries(place, `the UI permissions of '${scope}'`) ?? []) {
    const permission = uiPermissions.find((known) => known === key);
    if (permission) read[permission] = readResources(reader, value, permission);
    else reader.fault(at, `'${key}' is not a UI permission; there are: ${uiPermissions.join(', ')}`);
  }
  return read;
}

function readResources<P>(reader: Reader<P>, place: P, permission: UiPermission): NameList {
  const text = reader.peek(place);
  if (text !== undefined) {
    reader.fault(place, `${permission} must be a list; write [${text === '*' ? 'all' : text}]`);
    return [];
  }
  let every = false;
  const names = new Set<string>();
  for (const item of reader.items(place, permission)) {
    const entry = reader.text(item, `an entry of ${permission}`);
    if (entry === undefined) continue;
    if (entry === 'all') {
      every = true;
      continue;
    }
    const name = resourceName(permission, entry);
    const fault = name.includes('*') ? undefined : faultOfName(entry, 'all');
    if (fault) reader.fault(item, fault);
    else if (name.includes('*'))
      reader.fault(item, `'${entry}' is not a name; in UI permissions 'all' stands for every one`);
    else if (name === '' || name === '/') reader.fault(item, `'${entry}' names nothing`);
    else names.add(name);
  }
  if (permission === 'read_audit' && names.size > 0 && !every)
    reader.fault(place, `${permission} is about everything that happens; write [all]`);
  return every ? 'all' : [...names];
}
