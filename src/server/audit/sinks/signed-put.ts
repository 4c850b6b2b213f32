import { createHash, createHmac } from 'node:crypto';

/** Who signs, and for where. */
export interface S3Signer {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/**
 * The headers of a PUT to S3, signed by AWS Signature Version 4 with the body in the signature (Amazon S3 API reference,
 * "Authenticating Requests: Using the Authorization Header"). Every header given is signed; `at` is the time of the signature.
 */
export function signedPut(
  { region, accessKeyId, secretAccessKey }: S3Signer,
  url: URL,
  body: Buffer,
  given: Readonly<Record<string, string>>,
  at: Date,
): Record<string, string> {
  const time = at.toISOString().replace(/[-:]|\.\d+/g, '');
  const day = time.slice(0, 8);
  const headers: Record<string, string> = {
    ...Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value])),
    ...{ host: url.host, 'x-amz-content-sha256': sha256(body), 'x-amz-date': time },
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    ...['PUT', canonicalPath(url.pathname), ''],
    ...names.map((name) => `${name}:${headers[name]?.trim().replace(/ +/g, ' ')}`),
    ...['', names.join(';'), headers['x-amz-content-sha256']],
  ].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  const { host: _, ...sent } = headers;
  const by = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope},SignedHeaders=${names.join(';')}`;
  return { ...sent, authorization: `${by},Signature=${signature}` };
}

/**
 * The path as it is signed: with all but unreserved characters and slashes percent-encoded. Send it so, and nobody in between
 * has to. A slash that came encoded is one like the others: keys of S3 do not tell them apart.
 */
export function canonicalPath(pathname: string): string {
  return decodeURIComponent(pathname).split('/').map(encode).join('/');
}

/** Percent-encodes all but unreserved characters (RFC 3986), as S3 counts them. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
