// The headers that pages are sent with. They are the second line of defence: a page with injected markup could still
// load nothing, run nothing, send nothing elsewhere, and be framed by no page.

import type { PageContext } from './context.ts'
import { SCRIPT } from './frame/script.ts'

/** What the headers depend on. */
export interface PageHeadersOptions extends PageContext {
  /** Where the page is read, such as `https://id.example.org`. */
  readonly origin: string
  /**
   * Where the answers to its forms may redirect to, in addition to the page's own host, as URLs: browsers hold
   * redirects against `form-action` too. Absent for a page without forms.
   */
  readonly formTargets?: readonly string[] | undefined
}

// Every feature that browsers know and the pages do not use.
const FEATURES = [
  'accelerometer',
  'autoplay',
  'browsing-topics',
  'camera',
  'clipboard-read',
  'clipboard-write',
  'display-capture',
  'encrypted-media',
  'fullscreen',
  'geolocation',
  'gyroscope',
  'hid',
  'identity-credentials-get',
  'idle-detection',
  'local-fonts',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'picture-in-picture',
  'publickey-credentials-create',
  'publickey-credentials-get',
  'screen-wake-lock',
  'serial',
  'storage-access',
  'usb',
  'window-management',
  'xr-spatial-tracking',
]

const PERMISSIONS = FEATURES.map((feature) => `${feature}=()`).join(', ')

const YEAR = 31_536_000

/**
 * The headers of a page, by lower-case name.
 *
 * @throws TypeError for an `origin` or a target that is not a URL, or cannot be written in a policy
 */
export const pageHeaders = (options: PageHeadersOptions): Readonly<Record<string, string>> => ({
  'content-type': 'text/html; charset=utf-8',
  'content-language': options.language,
  'content-security-policy': policy(options),
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  // The address of a page can hold the id of a login under way.
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': PERMISSIONS,
  'cache-control': 'no-store',
  vary: 'accept-language',
  ...strictTransport(options.origin),
})

/** Content Security Policy Level 3. */
const policy = ({ theme, formTargets }: PageHeadersOptions): string =>
  [
    "default-src 'none'",
    `style-src ${theme.stylesheet.source}`,
    ...(formTargets === undefined ? [] : [`script-src ${SCRIPT.source}`]),
    // What is in the page already: no request is sent, so none can carry data away.
    'img-src data:',
    `form-action ${formTargets === undefined ? "'none'" : formSources(formTargets)}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ')

const formSources = (targets: readonly string[]): string =>
  ["'self'", ...new Set(targets.map(sourceOf))].join(' ')

// What the grammar has (CSP §2.3.1, host-source). WHATWG URL lets ";" be part of a host, which would end
// the directive here.
const HOST = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/
const SCHEME = /^[a-z][a-z0-9+.-]*:$/

// A page that may be sent there could be made to run what it holds.
const CODE = /^(javascript|data|blob|filesystem|about|view-source|vbscript):$/

const sourceOf = (target: string): string => {
  const { protocol, hostname, host, port } = new URL(target)
  if (protocol === 'https:' || protocol === 'http:') {
    if (hostname === LOOPBACK_6 && protocol === 'http:') return `http://*${port && `:${port}`}`
    if (HOST.test(hostname)) return `${protocol}//${host}`
  } else if (SCHEME.test(protocol) && !CODE.test(protocol)) {
    return protocol // a program on the device (RFC 8252 §7.1)
  }
  throw new TypeError(`cannot be written in a policy: ${JSON.stringify(target.slice(0, 200))}`)
}

// RFC 8252 §7.3 has programs wait at this address, and the grammar has no way to write it: Chromium
// ignores it. Only its port can be restricted.
const LOOPBACK_6 = '[::1]'

/**
 * RFC 6797, for this host alone: hosts below it decide for themselves. Not for a machine's own
 * addresses, where it would break every other service on them without TLS.
 */
const strictTransport = (origin: string): Readonly<Record<string, string>> => {
  const { protocol, hostname } = new URL(origin)
  const local = hostname === 'localhost' || hostname.endsWith('.localhost')
  if (protocol !== 'https:' || local || /^[\d.]+$|^\[/.test(hostname)) return {}
  return { 'strict-transport-security': `max-age=${YEAR}` }
}
