// What a browser reports while it is used: every problem, and every page that it was shown.

import type { BrowserContext } from 'playwright-core'

/** What has been said so far. */
export interface Watch {
  /** Errors of scripts, breaches of a policy, requests in the clear, and all else but `statuses`. */
  readonly complaints: readonly string[]
  /** Of what could not be loaded: the console tells of every one. */
  readonly statuses: readonly number[]
  /**
   * HTML documents as they were when they had been read: those that users see, since a form that sends
   * itself is removed before. Not where scripts are off.
   */
  readonly documents: readonly string[]
}

// Chromium requests it when it pleases, for pages without an icon of their own: Countersign's have one.
const ICON = '/favicon.ico'

/** The title of a page of `oidc-provider`'s own. */
const SENDS_ITSELF = 'Submitting Callback'

const STATUS = /^Failed to load resource: the server responded with a status of (\d{3})/

// Chromium, where the user was in a field before the page had loaded: the focus stays there.
const FOCUSED = /^Autofocus processing was blocked/
// Chromium tells that it did.
const CLEARED = /^Clear-Site-Data header on '[^']*': Cleared/

// What runs in the page is a text, since this program has no types of the DOM.
const SCRIPT = `(() => {
  document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
    tellTest('violated', effectiveDirective + ' ' + blockedURI))
  addEventListener('DOMContentLoaded', () => {
    if (location.protocol === 'about:' || document.contentType !== 'text/html') return
    if (document.title === '${SENDS_ITSELF}') return
    tellTest('shown', '<!doctype html>' + document.documentElement.outerHTML)
  })
})()`

/** Begins to watch every page of a browser. @param schemes what its requests may use */
export const watch = async (
  context: BrowserContext,
  schemes: readonly string[] = ['https:'],
): Promise<Watch> => {
  const complaints: string[] = []
  const statuses: number[] = []
  const documents: string[] = []
  const fine = new Set([...schemes, 'data:', 'about:', 'blob:'])
  context.on('console', (message) => {
    if (CLEARED.test(message.text()) || FOCUSED.test(message.text())) return
    const [, status] = STATUS.exec(message.text()) ?? []
    if (status === undefined) complaints.push(`${message.type()}: ${message.text()}`)
    else if (!message.location().url.endsWith(ICON)) statuses.push(Number(status))
  })
  context.on('weberror', (error) => complaints.push(`script: ${error.error().message}`))
  context.on('request', (request) => {
    if (!fine.has(new URL(request.url()).protocol)) complaints.push(`asked for ${request.url()}`)
  })
  await context.exposeBinding('tellTest', (_source, kind: string, text: string) => {
    if (kind === 'shown') documents.push(text)
    else complaints.push(`policy: ${text}`)
  })
  await context.addInitScript(SCRIPT)
  return { complaints, statuses, documents }
}
