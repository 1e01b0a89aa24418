// `theme`: the theme of the pages that users see when they log in. Whether a logo is an image and a colour can
// be read is found out when they are loaded.

import * as z from 'zod'
import { pathSchema } from '../config/values.ts'

/** Every language that there are texts in. */
const LANGUAGES = ['en', 'de'] as const

const colourSchema = z
  .string()
  .regex(/^#[0-9a-fA-F]{6}$/, 'must be a colour such as "#0b57d0"')
  .transform((text): `#${string}` => `#${text.slice(1).toLowerCase()}`)

const linkSchema = z
  .string()
  .regex(/^(https:\/\/[^/\\]|mailto:[^/\\])[\x21-\x7e]*$/, 'must be an https or mailto URL')

const timeZoneSchema = z.string().refine((name) => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}, 'must be a time zone such as "Europe/Berlin"')

const lineSchema = z.string().regex(/^\P{C}+$/u, 'must be one line of text')

/** The `theme` section. */
export const themeSchema = z
  .strictObject({
    name: lineSchema
      .max(60)
      .default('Countersign')
      .describe('The name of the service, on every page and in the title.'),
    logo: pathSchema
      .optional()
      .describe(
        'An SVG or PNG file of at most 32 KB, shown 48 px high. It is embedded as an image, so an SVG can neither run scripts nor load anything.',
      ),
    logoDark: pathSchema
      .optional()
      .describe('The same for dark backgrounds. Default: the one `logo`.'),
    nameInLogo: z
      .boolean()
      .default(false)
      .describe('The logo contains the name, so the name is not written below it.'),
    accent: z
      .union([
        colourSchema,
        z.strictObject({
          light: colourSchema.describe('On light backgrounds.'),
          dark: colourSchema.describe('On dark backgrounds.'),
        }),
      ])
      .default('#0b57d0')
      .describe(
        'The colour of buttons and links, `#rrggbb`. One colour is made darker or lighter where its contrast is too low; two are used as they are, and rejected where it is too low (WCAG 2.2, AA).',
      ),
    support: z
      .strictObject({
        text: lineSchema.max(200).describe('Such as “Service desk, extension 4711”.'),
        url: linkSchema.optional().describe('The target of the link: an https or mailto URL.'),
      })
      .optional()
      .describe('The support contact, in the footer of every page.'),
    imprint: linkSchema.optional().describe('The legal notice, at the foot of every page.'),
    privacy: linkSchema.optional().describe('The privacy notice, at the foot of every page.'),
    language: z
      .enum(LANGUAGES)
      .default('en')
      .describe('For browsers whose languages are not supported.'),
    timeZone: timeZoneSchema
      .default('UTC')
      .describe('The time zone that times are written in, by its IANA name.'),
  })
  .superRefine(({ logo, logoDark, nameInLogo }, context) => {
    if (logo !== undefined || (logoDark === undefined && !nameInLogo)) return
    context.addIssue({ code: 'custom', message: '"logoDark" and "nameInLogo" need a "logo"' })
  })
  .prefault({})
  .describe('The theme of the pages that users see at login.')

/** The parsed `theme`. */
export type ThemeConfig = z.output<typeof themeSchema>
