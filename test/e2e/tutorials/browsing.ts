// The reader's browser: at each image of a tutorial it goes where the reader goes, and takes the picture.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { startChromium, trusting } from '../../servers/chromium.ts'
import type { Image } from './images.ts'
import type { Replacements } from './replacements.ts'
import { Screenshots } from './screenshots.ts'

/** What a reader does in a browser. */
export interface BrowsingOptions {
  /** PEM file in the folder of the tutorial: the server certificate that the reader accepts. */
  readonly certificate: string
  /** What is done before each image, by the name of its file; then the image is what the browser shows. */
  readonly visits: Readonly<Record<string, Visit>>
}

/** What is done before an image. It may set another height of the viewport. */
export type Visit = (visitor: Visitor) => Promise<void>

/** The reader at a browser. */
export interface Visitor {
  readonly page: Page
  /** A URL of the tutorial, with the ports of this run. */
  readonly url: (written: string) => string
  /** What takes the place of a name of the tutorial, such as `PASSWORD`. */
  readonly value: (name: string) => string
  /** What the reader copies from a page, for a later command. */
  readonly copy: (name: string, value: string) => void
}

interface Options extends BrowsingOptions {
  /** The tutorial. */
  readonly page: string
  readonly folder: string
  readonly replaced: Replacements
}

// For one step, on a machine that has much else to do.
const TIMEOUT_MS = 20_000

/** CSS pixels of every image: narrow enough to be read in a column of text. The file has twice as many. */
export const WIDTH = 760

const VIEWPORT = { width: WIDTH, height: 480 }

// Pages of other projects may name style sheets on the internet: nothing here is requested from there.
const LOCAL =
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1'

/** One browser for a tutorial, started at its first image. */
export class Browsing implements AsyncDisposable {
  readonly #options: Options
  readonly #screenshots: Screenshots
  readonly #shown = new Set<string>()
  #browser: Browser | undefined
  #page: Page | undefined

  constructor(options: Options) {
    this.#options = options
    this.#screenshots = new Screenshots(options.page)
  }

  /** Does what the reader does before an image, and compares the image with what the browser shows then. */
  async show({ image, name, page: document, line }: Image): Promise<void> {
    const { visits, replaced } = this.#options
    const visit = visits[name]
    assert.ok(visit !== undefined, `${document}:${line}: no visit shows the image ${name}`)
    const page = (this.#page ??= await this.#open())
    await page.setViewportSize(VIEWPORT)
    await visit({
      page,
      url: (written) => replaced.here(written),
      value: (key) => replaced.get(key),
      copy: (key, value) => replaced.set(key, value),
    })
    await this.#screenshots.take(image, page, (text) => replaced.asWritten(text))
    this.#shown.add(name)
  }

  /** Throws where a visit has no image on the page; keeps the images where that is wanted. */
  async finish(): Promise<void> {
    const unshown = Object.keys(this.#options.visits).filter((name) => !this.#shown.has(name))
    assert.deepEqual(unshown, [], 'visits without an image')
    await this.#screenshots.finish()
  }

  async #open(): Promise<Page> {
    const { certificate, folder } = this.#options
    const trusted = await trusting([join(folder, certificate)])
    this.#browser = await startChromium([trusted, LOCAL])
    const context = await this.#browser.newContext({ viewport: VIEWPORT, deviceScaleFactor: 2 })
    context.setDefaultTimeout(TIMEOUT_MS)
    return await context.newPage()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser?.close()
  }
}
