// The options of curl that bear on what a server is asked, and those that do not. A table of our own,
// since every other option must be refused by name: one that was passed over could have changed the
// request that is explained.

/** What an option sets. */
export type CurlKey =
  | 'method'
  | 'header'
  | 'user'
  | 'bearer'
  | 'data'
  | 'encoded'
  | 'json'
  | 'form'
  | 'upload'
  | 'query'
  | 'asQuery'
  | 'head'
  | 'cookie'
  | 'agent'
  | 'referer'
  | 'range'
  | 'compressed'
  | 'certificate'
  | 'url'
  | 'asIs'
  | 'noGlobs'
  | 'ignored'

/** One option, by its long name. */
export interface CurlOption {
  readonly key: CurlKey
  readonly short?: string
  readonly takesValue: boolean
}

/** What of a request they say; `long` or `long short`. */
const TELLING: Readonly<Record<Exclude<CurlKey, 'ignored'>, readonly string[]>> = {
  method: ['request X'],
  header: ['header H'],
  user: ['user u'],
  bearer: ['oauth2-bearer'],
  data: ['data d', 'data-raw', 'data-binary', 'data-ascii'],
  encoded: ['data-urlencode'],
  json: ['json'],
  form: ['form F', 'form-string'],
  upload: ['upload-file T'],
  query: ['url-query'],
  asQuery: ['get G'],
  head: ['head I'],
  cookie: ['cookie b'],
  agent: ['user-agent A'],
  referer: ['referer e'],
  range: ['range r'],
  compressed: ['compressed'],
  certificate: ['cert E'],
  url: ['url'],
  asIs: ['path-as-is'],
  noGlobs: ['globoff g'],
}

const FLAGS: ReadonlySet<string> = new Set(['asQuery', 'head', 'compressed', 'asIs', 'noGlobs'])

/** Of no matter to what is asked: how curl connects, what it prints, where it writes. */
const IGNORED_FLAGS =
  'insecure k,silent s,show-error S,verbose v,show-headers,include i,location L,location-trusted,' +
  'fail f,fail-with-body,fail-early,progress-bar #,progress-meter,buffer,no-buffer N,http1.0 0,' +
  'http1.1,http2,http2-prior-knowledge,http3,http3-only,tlsv1 1,tlsv1.0,tlsv1.1,tlsv1.2,tlsv1.3,' +
  'ipv4 4,ipv6 6,remote-name O,remote-name-all,remote-header-name J,remote-time R,tcp-nodelay,' +
  'tcp-fastopen,keepalive,disable q,create-dirs,styled-output,trace-time,trace-ids,basic,' +
  'ssl-no-revoke,ssl-revoke-best-effort,ca-native,cert-status,retry-connrefused,retry-all-errors,' +
  'alpn,sessionid,post301,post302,post303,http0.9,raw,clobber,suppress-connect-headers'

const IGNORED_VALUES =
  'output o,output-dir,connect-to,resolve,cacert,capath,crlfile,key,key-type,cert-type,pass,' +
  'connect-timeout,max-time m,retry,retry-delay,retry-max-time,max-redirs,write-out w,' +
  'dump-header D,cookie-jar c,proxy x,proxy-user U,noproxy,interface,limit-rate,speed-limit Y,' +
  'speed-time y,ciphers,tls13-ciphers,tls-max,curves,stderr,trace,trace-ascii,keepalive-time,' +
  'local-port,dns-servers,doh-url,unix-socket,abstract-unix-socket,max-filesize,proto,' +
  'proto-redir,pinnedpubkey,socks5,socks5-hostname,alt-svc,hsts,expect100-timeout,' +
  'happy-eyeballs-timeout-ms'

const entriesOf = (
  names: readonly string[],
  key: CurlKey,
  takesValue: boolean,
): readonly (readonly [string, CurlOption])[] =>
  names.map((name) => {
    const [long = '', short] = name.split(' ')
    return [long, { key, takesValue, ...(short === undefined ? {} : { short }) }]
  })

/** The options that are understood, by their long names. */
export const CURL_OPTIONS: ReadonlyMap<string, CurlOption> = new Map([
  ...Object.entries(TELLING).flatMap(([key, names]) =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of the table above
    entriesOf(names, key as CurlKey, !FLAGS.has(key)),
  ),
  ...entriesOf(IGNORED_FLAGS.split(','), 'ignored', false),
  ...entriesOf(IGNORED_VALUES.split(','), 'ignored', true),
])
