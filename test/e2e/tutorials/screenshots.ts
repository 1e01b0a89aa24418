// The images of tutorials: pictures of real pages, in the frame of a browser with their address. A run compares what a page
// says with what it said when its image was kept, and never pixels: fonts differ between machines.
// COUNTERSIGN_TUTORIAL_IMAGES=write keeps the images of this run.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import type { Page } from 'playwright-core'
import { isAsWritten } from '../../docs/examples/console.ts'
import { ROOT } from '../../docs/markdown.ts'
import { framed } from './frame.ts'

/** Whether images are kept, and what they show. */
export const WRITES = process.env['COUNTERSIGN_TUTORIAL_IMAGES'] === 'write'

const RENEW = '"npm run docs:images" takes the images again'

/** What is known of an image. */
interface ImageRecord {
  /** SHA-256 of the file, in hexadecimal. */
  readonly sha256: string
  /** Pixels. */
  readonly width: number
  readonly height: number
  readonly title: string
  /** The lines of the page, where `…` is any text. */
  readonly text: readonly string[]
}

type Records = Readonly<Record<string, ImageRecord>>

// Ids and durations are different every time.
const VARIABLE = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|\d+(?:\.\d+)?(?=ms\b)/g

/** The images of one page. */
export class Screenshots {
  readonly #file: string
  readonly #taken = new Map<string, ImageRecord>()

  /** @param page from the root of the repository */
  constructor(page: string) {
    this.#file = join(import.meta.dirname, `${posix.basename(page, '.md')}.images.json`)
  }

  /**
   * Takes the picture of what a browser shows; keeps it, or throws where the kept image shows another page.
   *
   * @param image the file, from the root of the repository
   */
  async take(image: string, page: Page, asWritten: (text: string) => string): Promise<void> {
    const lines = asWritten(await page.locator('body').innerText()).split('\n')
    const text = lines.map((line) => line.replaceAll(/\s+/g, ' ').trim()).filter(Boolean)
    const title = asWritten(await page.title())
    const picture = await framed(page, asWritten)
    const file = join(ROOT, image)
    if (WRITES) {
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, picture)
      const variable = text.map((line) => line.replaceAll(VARIABLE, '…'))
      this.#taken.set(image, { ...describe(picture), title, text: variable })
      return
    }
    const record = (await this.#records())[image]
    assert.ok(record !== undefined, `${image} was never taken: ${RENEW}`)
    assert.deepEqual(
      { ...describe(await readFile(file)), title, text: [] },
      { ...record, text: [] },
    )
    const shown = text.join('\n')
    const kept = record.text.join('\n')
    assert.ok(isAsWritten(shown, kept), `${image} shows another page: ${RENEW}\n${shown}`)
    const { width, height } = describe(picture)
    assert.deepEqual([width, height], [record.width, record.height], `${image}: ${RENEW}`)
  }

  /** Keeps what the images show. */
  async finish(): Promise<void> {
    if (!WRITES || this.#taken.size === 0) return
    await writeFile(
      this.#file,
      `${JSON.stringify(Object.fromEntries(this.#taken), undefined, 2)}\n`,
    )
  }

  async #records(): Promise<Records> {
    const records: Records = JSON.parse(await readFile(this.#file, 'utf8'))
    return records
  }
}

/** WebP with transparency (RFC 9649 §2.7): the chunk VP8X has width and height less one, of 24 bits each. */
const describe = (webp: Buffer): Pick<ImageRecord, 'sha256' | 'width' | 'height'> => {
  assert.equal(webp.toString('latin1', 8, 16), 'WEBPVP8X')
  return {
    sha256: createHash('sha256').update(webp).digest('hex'),
    width: webp.readUIntLE(24, 3) + 1,
    height: webp.readUIntLE(27, 3) + 1,
  }
}
