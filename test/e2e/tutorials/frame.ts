// The picture of a page in the frame of a browser: readers see at which address they are, and where the picture ends on
// a bright or a dark background.

import type { Page } from 'playwright-core'

// CSS pixels.
const BAR = 40
const BORDER = 1

// Of 1: text shows no traces of the compression.
const QUALITY = 0.8

// What is outside of the rounded corners stays transparent.
const STYLE = `
  * { box-sizing: border-box; margin: 0 }
  body { background: transparent }
  main { border: ${BORDER}px solid #7d8590; border-radius: 10px; overflow: hidden }
  header { display: flex; align-items: center; gap: 7px; height: ${BAR}px; padding: 0 14px;
    background: #dfe3e8; border-bottom: ${BORDER}px solid #b6bcc4; font: 13px system-ui, sans-serif; color: #24292f }
  i { width: 11px; height: 11px; border-radius: 50%; background: #a5acb5 }
  p { flex: 1; margin-left: 9px; padding: 4px 12px; border-radius: 12px; background: #fff;
    overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
  img { display: block; width: 100% }
`

// What runs in the page is a text, since this program has no types of the DOM. Chromium makes PNG of screenshots; WebP has a
// third of the bytes.
const toWebp = (png: string): string => `(async () => {
  const picture = await createImageBitmap(await (await fetch('${png}')).blob())
  const canvas = document.createElement('canvas')
  canvas.width = picture.width
  canvas.height = picture.height
  canvas.getContext('2d').drawImage(picture, 0, 0)
  return canvas.toDataURL('image/webp', ${QUALITY}).split(',')[1]
})()`

/** The picture as WebP. @param asWritten puts the ports of the tutorial in place of those of this run */
export const framed = async (page: Page, asWritten: (text: string) => string): Promise<Buffer> => {
  const { width, height } = page.viewportSize() ?? { width: 0, height: 0 }
  const shot = await page.screenshot({ animations: 'disabled' })
  const frame = await page.context().newPage()
  try {
    await frame.setViewportSize({ width: width + 2 * BORDER, height: height + BAR + 2 * BORDER })
    await frame.setContent(
      `<style>${STYLE}</style><main><header><i></i><i></i><i></i><p>${asWritten(addressOf(page.url()))}</p></header>` +
        `<img src="${dataUrl(shot)}"></main>`,
    )
    const png = await frame.screenshot({ omitBackground: true })
    return Buffer.from(await frame.evaluate<string>(toWebp(dataUrl(png))), 'base64')
  } finally {
    await frame.close()
  }
}

const dataUrl = (png: Buffer): string => `data:image/png;base64,${png.toString('base64')}`

// Longer ones are ids, which are different every time.
const LONGEST_SEGMENT = 24

const addressOf = (url: string): string => {
  const { origin, pathname } = new URL(url)
  const segments = pathname
    .split('/')
    .map((segment) => (segment.length > LONGEST_SEGMENT ? '…' : segment))
  return `${origin}${segments.join('/')}`
}
