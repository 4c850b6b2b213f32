/** What people take instead of random characters; found forwards, backwards and in any case. */
const wellKnown = [
  '0123456789',
  'abcdefghijklmnopqrstuvwxyz',
  '!@#$%^&*()_+',
  '1234567890-=qwertyuiop[]asdfghjkl;zxcvbnm,./',
  'qazwsxedcrfvtgbyhnujmikolp',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
  'azertyuiopqsdfghjklmwxcvbn',
  'qwertzuiopasdfghjklyxcvbnm',
  '14159265358979323846264338327950288419716939937510',
  '71828182845904523536028747135266249775724709369995',
  '112358132134558914423337761098715972584',
  '149162536496481100121144169196225256289324361400441484529576625',
  '135791113151719212325272931333537394143454749515355575961636567697173757779',
  '24681012141618202224262830323436384042444648505254565860626466687072747678',
  '2357111317192329313741434753596167717379838997101103107109113127131137139149',
  '12481632641282565121024204840968192163843276865536131072262144524288',
  '00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051',
  'deadbeefcafebabefeedfacebaadf00dc0ffee',
  'password passphrase passw0rd p@ssw0rd secret s3cr3t key changeme change default example placeholder replace',
  'mcpgatewayregistry mcp-gateway registry server production staging development test admin root user token',
  'this that with have from your very the and for not our are was you all new use before live own make sure nobody knows keep',
  'safe never share only test local demo hello world correct horse battery staple again generated private gateway-secret',
  'super very random secure long string value please letmein welcome monkey dragon master login company',
]
  .flatMap((text) => text.split(' '))
  .flatMap((text) => [text, [...text].reverse().join('')])
  .join('\n');

/** The commonest pairs of letters in English, which random letters have in one place of nine. */
const englishPairs = new Set(
  (
    'th he in er an re nd at on nt ha es st en ed to it ou ea hi is or ti as te et ng of al de se le sa si ar ve ra ld ur ' +
    'me ne co ro be li io ic el ma ll us ce om ec ge wa pa ss ke ey my ot no we ho ry do lo fo ct pr od on up uc cr et ga'
  ).split(' '),
);
/** Bits for a stretch of three characters and more that is well known or has come before, however long it is. */
const stretchCosts = 9;
/** Bits that a letter of a text in English has at most (Shannon, 1951: about one, in long texts). */
const englishLetterCosts = 1.5;

/**
 * How many bits of randomness a secret can have at most, as somebody would guess it who tries sequences, repetitions, known
 * words and keyboard rows first, in every second or third place too. Never too high for what is made by a pattern that it
 * knows; a random text of 32 hexadecimal digits has about 120.
 */
export function bitsOf(given: string): number {
  // More than enough to tell, however long somebody makes it.
  const secret = given.slice(0, 256);
  const one = Math.log2(Math.max(2, new Set(secret).size));
  const interleaved = [2, 3].map((step) =>
    Array.from({ length: step }, (_, from) => bitsOfText(every(secret, step, from), one)).reduce(
      (sum, bits) => sum + bits,
    ),
  );
  return Math.min(bitsOfText(secret, one), bitsOfText(differences(secret), one) + one, ...interleaved);
}

/** `literal` is what a character costs that nothing foretells. */
function bitsOfText(text: string, literal: number): number {
  const lower = text.toLowerCase();
  const isEnglish = looksEnglish(lower);
  let bits = 0;
  for (let at = 0; at < text.length; ) {
    const length = Math.max(1, stretchAt(lower, at));
    const costs = [...lower.slice(at, at + length)].map((character) =>
      isEnglish && /[a-z\W_]/.test(character) ? Math.min(englishLetterCosts, literal) : literal,
    );
    const sum = costs.reduce((before, one) => before + one, 0);
    bits += length >= 3 ? Math.min(stretchCosts, sum) : sum;
    at += length;
  }
  return bits;
}

/** The characters from there on that are well known, or that the text has had before. */
function stretchAt(text: string, at: number): number {
  const before = text.slice(0, at);
  let length = 0;
  for (let to = at + 3; to <= text.length; to += 1) {
    const part = text.slice(at, to);
    if (!before.includes(part) && !wellKnown.includes(part) && !isOneCharacter(part)) break;
    length = part.length;
  }
  return length;
}

function isOneCharacter(text: string): boolean {
  return [...text].every((character) => character === text[0]);
}

/** Whether common pairs are more than five standard deviations above what random letters have. */
function looksEnglish(lower: string): boolean {
  const pairs = [...lower].map((_, at) => lower.slice(at, at + 2)).filter((pair) => /^[a-z]{2}$/.test(pair));
  const share = englishPairs.size / 26 ** 2;
  const expected = pairs.length * share;
  const found = pairs.filter((pair) => englishPairs.has(pair)).length;
  return pairs.length >= 12 && found > expected + 5 * Math.sqrt(expected * (1 - share));
}

function every(text: string, step: number, from: number): string {
  return [...text].filter((_, at) => at % step === from).join('');
}

/** By how much each character is beyond the one before it: a sequence of any step is one character over and over. */
function differences(text: string): string {
  const codes = [...text].map((character) => character.codePointAt(0) ?? 0);
  return codes
    .slice(1)
    .map((code, at) => String.fromCharCode((code - (codes[at] ?? 0) + 0x200) & 0x3ff))
    .join('');
}
