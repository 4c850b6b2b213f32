/** Whether a user or a group of a pool could have the name at all: up to 128 characters, none of them blank. */
export function isPoolName(text: string): boolean {
  return /^[\p{L}\p{M}\p{S}\p{N}\p{P}]{1,128}$/u.test(text);
}

/** `name = "value"`, or `^=` for its beginning; undefined when Cognito does not take one so long: nobody has it. */
export function filterBy(name: string, operator: '=' | '^=', value: string): string | undefined {
  const filter = `${name} ${operator} "${value.replace(/[\\"]/g, '\\$&')}"`;
  return filter.length <= 256 && !/\p{Cc}/u.test(value) ? filter : undefined;
}
