// The one script of the pages. Everything works without it; where it runs, the fragment of a deep link
// survives the login, and an impatient second click sends nothing.

import { inlineElement } from '../html.ts'

// A fragment goes with redirects (RFC 9110 §10.2.2) but not with forms, unless their action has it. How
// long a form stays sent: a push to a telephone takes time, and a user may press "stop".
const TEXT = `(()=>{
const d=document,sent=new Map
for(const f of d.querySelectorAll('form[data-fragment]'))f.setAttribute('action',f.getAttribute('action')+location.hash)
d.addEventListener('submit',e=>{const n=Date.now();if(n-(sent.get(e.target)||0)<15e3)e.preventDefault();else sent.set(e.target,n)})
addEventListener('pageshow',()=>sent.clear())
})()`

/** The script, the same in every page. */
export const SCRIPT = inlineElement('script', TEXT)
