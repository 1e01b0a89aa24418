// The theme of the pages, read once with the configuration: what cannot be shown or read is a problem of the configuration
// then, and not a broken page later.

import type { ConfigurationFiles } from '../config/files.ts'
import type { ThemeConfig } from './theme-schema.ts'
import { CountersignError } from '../runtime/errors.ts'
import type { Language } from './i18n/catalog.ts'
import { accentIn, accentProblem, type Colour, type Scheme } from './frame/colour.ts'
import { stylesheetOf } from './frame/stylesheet.ts'
import type { InlineElement } from './html.ts'
import { contactUrl, imageUrl, type SafeUrl } from './markup/url.ts'

/** A logo; it is within the page, so no request is sent for it. */
interface Logo {
  readonly light: SafeUrl
  /** Where it is another one. */
  readonly dark?: SafeUrl
  /** Whether it contains the name of the service. */
  readonly saysName: boolean
}

/** What pages are made with. */
export interface Theme {
  /** The name of the service. */
  readonly name: string
  readonly logo?: Logo
  readonly stylesheet: InlineElement
  readonly support?: { readonly text: string; readonly url?: SafeUrl }
  readonly imprint?: SafeUrl
  readonly privacy?: SafeUrl
  /** Used when the pages are in no language of the browser. */
  readonly language: Language
  /** An IANA name. */
  readonly timeZone: string
}

/** It is in every page, a third longer for base64. */
const LARGEST_LOGO = 32_768

/**
 * Reads the theme.
 *
 * @throws CountersignError `file-unreadable` for a logo; `configuration-invalid` for one that is not an image,
 *   for an accent that could not be read, and for a link that is not a URL
 */
export const loadTheme = async (config: ThemeConfig, files: ConfigurationFiles): Promise<Theme> => {
  const { name, support, imprint, privacy, language, timeZone } = config
  const logo = await loadLogo(config, files)
  return {
    name,
    language,
    timeZone,
    stylesheet: stylesheetOf({
      light: accentIn(colourIn(config.accent, 'light'), 'light'),
      dark: accentIn(colourIn(config.accent, 'dark'), 'dark'),
    }),
    ...(logo === undefined ? {} : { logo }),
    ...(imprint === undefined ? {} : { imprint: link('imprint', imprint) }),
    ...(privacy === undefined ? {} : { privacy: link('privacy', privacy) }),
    ...(support === undefined ? {} : { support: supportOf(support) }),
  }
}

const invalid = (message: string): CountersignError =>
  new CountersignError('configuration-invalid', message)

const colourIn = (accent: ThemeConfig['accent'], scheme: Scheme): Colour => {
  if (typeof accent === 'string') return accent
  const problem = accentProblem(accent[scheme], scheme)
  if (problem !== undefined) throw invalid(`accent.${scheme}: ${problem}`)
  return accent[scheme]
}

const link = (key: string, text: string): SafeUrl => {
  const url = contactUrl(text)
  if (url === undefined)
    throw invalid(`${key}: ${JSON.stringify(text)} is not an https or mailto URL`)
  return url
}

const supportOf = ({ text, url }: NonNullable<ThemeConfig['support']>): Theme['support'] & {} =>
  url === undefined ? { text } : { text, url: link('support.url', url) }

const loadLogo = async (
  { logo, logoDark, nameInLogo }: ThemeConfig,
  files: ConfigurationFiles,
): Promise<Logo | undefined> => {
  if (logo === undefined) return undefined
  const light = imageIn(logo, await files.read(logo))
  const parts = { light, saysName: nameInLogo }
  return logoDark === undefined
    ? parts
    : { ...parts, dark: imageIn(logoDark, await files.read(logoDark)) }
}

// PNG (Third Edition) §5.2.
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

// Roughly: it is the browsers that judge.
const SVG = /^\ufeff?\s*<[^]*<svg[\s>]|^\ufeff?\s*<svg[\s>]/

const imageIn = (path: string, bytes: Buffer): SafeUrl => {
  if (bytes.length > LARGEST_LOGO) {
    throw invalid(`${path} has ${bytes.length} bytes, and each page contains it: at most 32 KB`)
  }
  if (bytes.subarray(0, PNG.length).equals(PNG)) return imageUrl('image/png', bytes)
  const text = bytes.toString('utf8')
  if (!SVG.test(text)) throw invalid(`${path} is neither a PNG nor an SVG`)
  // Without it browsers take it for another kind of XML, and show nothing.
  if (!text.includes('http://www.w3.org/2000/svg')) {
    throw invalid(`${path} lacks xmlns="http://www.w3.org/2000/svg", so browsers show nothing`)
  }
  return imageUrl('image/svg+xml', bytes)
}
