import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formsOf } from './html-form.ts';

test('a form is what it would send: hidden and preset values, and where to type', () => {
  const html = `<!-- <form action="/commented-out"></form> -->
    <FORM method=post action="/sign-in?a=1&amp;b=2">
      <input type="hidden" name="state" value="a&#39;b&quot;&#x3c;c>d">
      <input type=hidden name=empty>
      <label>User name <input name='user' value="preset"></label>
      <input type="password" name="secret" autocomplete="current-password">
      <input type="checkbox" name="remember" value="yes"> <input type="submit" name="go" value="Go">
      <input type="hidden" name="off" value="x" disabled>
    </FORM><form action="/other"></form>`;
  const [first, second, ...more] = formsOf(html);
  expect(first?.action).toBe('/sign-in?a=1&b=2');
  expect([...(first?.preset ?? [])]).toEqual([
    ['state', 'a\'b"<c>d'],
    ['empty', ''],
    ['user', 'preset'],
  ]);
  expect(first).toMatchObject({ userField: 'user', passwordField: 'secret' });
  expect(second).toEqual({ action: '/other', preset: new Map() });
  expect(more).toEqual([]);
});

test('a page without forms has none, and no text is too odd to read', () => {
  expect(formsOf('<p>Welcome</p><script>"<form></form>"</script>')).toEqual([]);
  const piece = fc.constantFrom(
    '<form',
    '</form>',
    '<input',
    ' name=',
    '"',
    "'",
    '>',
    'a',
    '=',
    '<!--',
    '&#9999999;',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      formsOf(pieces.join(''));
    }),
  );
});
