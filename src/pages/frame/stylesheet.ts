// The stylesheet of the pages: one text that is part of each of them. It loads nothing, moves nothing, and
// takes no value but colours that were checked.

import { inlineElement, type InlineElement } from '../html.ts'
import { PALETTES, type Accent, type Scheme } from './colour.ts'

const variables = (scheme: Scheme, { fill, onFill, ink }: Accent): string => {
  const colours = { ...PALETTES[scheme], fill, 'on-fill': onFill, ink }
  return Object.entries(colours)
    .map(([name, colour]) => `--${name.replace('B', '-b')}:${colour}`)
    .join(';')
}

// 2.75rem are 44 px: WCAG 2.2 §2.5.5. Fields have the size of the text, since iOS zooms into smaller ones.
const RULES = `
*{box-sizing:border-box}
html{font:100%/1.5 system-ui,sans-serif;-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;gap:1.25rem;padding:1.5rem 1rem;background:var(--page);color:var(--text);overflow-wrap:anywhere}
header,main,footer{width:100%;max-width:26rem}
.wide>*{max-width:44rem}
header{display:flex;flex-direction:column;align-items:center;gap:.5rem;font-weight:600;text-align:center}
header img{display:block;max-width:100%;height:3rem;object-fit:contain}
main{background:var(--card);border:1px solid var(--faint);border-radius:.75rem;padding:1.25rem}
footer{display:flex;flex-direction:column;align-items:center;text-align:center;font-size:.875rem;color:var(--quiet)}
footer p,footer ul,header p{margin:0}
footer ul{display:flex;flex-wrap:wrap;justify-content:center;gap:0 1.25rem;padding:0;list-style:none}
footer a{display:inline-block;min-height:2.75rem;padding:.7rem 0}
h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.25}
h2{margin:2rem 0 .5rem;font-size:1.125rem;line-height:1.3}
p{margin:0 0 1rem}
main>:last-child,form:last-child>:last-child{margin-bottom:0}
ul,ol{margin:0 0 1rem;padding-inline-start:1.25rem}
a{color:var(--ink)}
:focus-visible{outline:3px solid var(--ink);outline-offset:2px}
label{display:block;margin-bottom:.25rem;font-weight:600}
input{display:block;width:100%;min-height:2.75rem;margin-bottom:1rem;padding:.5rem .75rem;font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:.5rem}
input[aria-invalid]{border:2px solid var(--bad)}
.code{font:1.25rem/1.5 ui-monospace,monospace;letter-spacing:.15em}
button,.button{display:inline-block;min-height:2.75rem;max-width:100%;padding:.5625rem 1.25rem;font:inherit;font-weight:600;text-align:center;text-decoration:none;color:var(--ink);background:var(--card);border:1px solid var(--ink);border-radius:.5rem;cursor:pointer;overflow-wrap:break-word}
.main{color:var(--on-fill);background:var(--fill)}
button:hover,.button:hover{text-decoration:underline;text-underline-offset:.2em}
.full,.stack button,.stack form{width:100%}
input+.full{margin-top:.5rem}
.stack,.choice{display:flex;flex-wrap:wrap;gap:.75rem}
.choice>*{flex:1 1 8rem;min-width:0;padding-inline:.75rem}
.or{display:flex;align-items:center;gap:.75rem;margin:1rem 0;color:var(--quiet)}
.or:before,.or:after{content:"";flex:1;border-top:1px solid var(--faint)}
.bad{margin-bottom:1rem;padding:.75rem 1rem;color:var(--text);background:var(--bad-back);border-inline-start:.25rem solid var(--bad);border-radius:.25rem}
.bad p,.good p{margin:0}
.bad strong{color:var(--bad)}
.good{margin-bottom:1rem;padding:.75rem 1rem;border:1px solid var(--line);border-inline-start-width:.25rem;border-radius:.25rem}
.quiet,small,dt{color:var(--quiet)}
small{font-size:.875rem}
dl{margin:0 0 1rem}
dd{margin:0 0 .5rem}
time small{display:inline-block}
code{font:.9375em ui-monospace,monospace}
.id{display:block;padding:.5rem .75rem;background:var(--page);border-radius:.25rem;user-select:all}
.groups{display:flex;flex-wrap:wrap;gap:.375rem;padding:0;list-style:none}
.groups li{max-width:100%;padding:.0625rem .5rem;background:var(--page);border:1px solid var(--faint);border-radius:1rem}
summary{display:list-item;min-height:2.75rem;padding:.625rem 0;color:var(--ink);cursor:pointer}
table{width:100%;border-collapse:collapse;margin-bottom:1rem}
th,td{padding:.75rem 0;text-align:start;vertical-align:top;border-top:1px solid var(--faint);font-weight:400}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
td{padding-inline-start:.75rem;text-align:end;white-space:nowrap}
td button{padding-inline:.75rem}
.here{display:inline-block;margin-inline-start:.5rem;padding:0 .5rem;border:1px solid var(--ink);border-radius:1rem;color:var(--ink);font-size:.875rem}
.line{display:block}
@media(max-width:30rem){tr,th,td{display:block}th{padding-bottom:.5rem}td{padding:0 0 .75rem;text-align:start;border:0}}
@media(min-width:48rem){body{padding-top:10vh}.wide{padding-top:2.5rem}main{padding:2rem}dl{display:grid;grid-template-columns:10rem 1fr;gap:.25rem 1rem}dd{margin:0}}
`

/** The stylesheet, with the accent of each scheme. */
export const stylesheetOf = (accents: Readonly<Record<Scheme, Accent>>): InlineElement =>
  inlineElement(
    'style',
    `:root{color-scheme:light dark;${variables('light', accents.light)}}@media(prefers-color-scheme:dark){:root{${variables('dark', accents.dark)}}}${RULES.trim()}`,
  )
