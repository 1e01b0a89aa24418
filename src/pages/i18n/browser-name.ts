// The name of a browser by its User-Agent (RFC 9110 §10.1.5), so that users recognise their sessions. It is a hint: any client
// can send any text, and nothing is decided by it.

// The order matters: most of them also claim to be those below.
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\b(OPR|Opera)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chromium|HeadlessChrome)\//, 'Chromium'],
  [/\b(Chrome|CriOS)\//, 'Chrome'],
  [/\bVersion\/\S+ (Mobile\/\S+ )?Safari\//, 'Safari'],
  [/^curl\//, 'curl'],
]

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\bAndroid\b/, 'Android'],
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bWindows\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
]

const LONGEST_READ = 400
const LONGEST_SHOWN = 60

/** `Firefox, Linux`; the beginning of the text itself where the browser is not known. */
export const browserName = (userAgent: string): string => {
  const text = userAgent.slice(0, LONGEST_READ)
  const named = (list: typeof BROWSERS): string | undefined =>
    list.find(([pattern]) => pattern.test(text))?.[1]
  const browser = named(BROWSERS)
  if (browser === undefined) return text.slice(0, LONGEST_SHOWN)
  const system = named(SYSTEMS)
  return system === undefined ? browser : `${browser}, ${system}`
}
