"""The page's style sheet, for light and dark: one accent colour for training data and one for evaluations."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root{color-scheme:light dark;--paper:#fffefa;--sunk:#f6f4ec;--ink:#21201c;--soft:#6d6a60;--hair:#dedace;
--data:#1f5d8c;--data2:#8a5a00;--data3:#6b4a8a;--eval:#b8411a;--good:#1b7440;--bad:#b3261e;--goodbg:#e9f4ea;
--badbg:#fbebe8;--warn:#8a5a00;--warnbg:#fbf2d9;
--p0:#2f6f9f;--p1:#d08b2c;--p2:#7a9e5a;--p3:#9a6fa8;--p4:#9a958a;
--o0:#1b7440;--o1:#7fb069;--o2:#c9cf7a;--o3:#eec35a;--o4:#8b5fbf;--o5:#e58a3c;--o6:#c8452f;--o7:#7d2a4d;--o8:#4b2e5a;
--o9:#a8a397;--o10:#5f5b52;--o11:#cfcabd}
@media (prefers-color-scheme:dark){:root{--paper:#171614;--sunk:#201f1c;--ink:#e9e6dc;--soft:#a09b8d;--hair:#3a3832;
--data:#7db8e2;--data2:#e0b050;--data3:#c0a0e0;--eval:#ff9a73;--good:#7ccf95;--bad:#ff8f84;--goodbg:#1b2b20;
--badbg:#331d1b;--warn:#e0b050;--warnbg:#33290f;
--p0:#5b9bcb;--p1:#d9a04f;--p2:#8fb56d;--p3:#b58ac4;--p4:#8d887d;
--o0:#4fae74;--o1:#8fbf78;--o2:#bfc46c;--o3:#d9b04f;--o4:#a27dd4;--o5:#dc8a45;--o6:#dd6552;--o7:#b0567d;--o8:#8a68a0;
--o9:#8d887d;--o10:#b5b0a3;--o11:#5c5950}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2.2rem clamp(1rem,4vw,3.5rem) 4rem;max-width:86rem;background:var(--paper);color:var(--ink);
font:16px/1.5 Charter,"Bitstream Charter","Iowan Old Style",Palatino,Georgia,"Liberation Serif",serif}
h1{font-size:2rem;font-weight:500;line-height:1.15;margin:0 0 .4rem;overflow-wrap:anywhere}
h2{font-size:1.45rem;font-weight:500;font-style:italic;margin:3rem 0 .8rem}
h3{font-size:1.05rem;font-weight:600;margin:1.8rem 0 .6rem;padding-top:.5rem;border-top:1px solid var(--hair)}
p{margin:.3rem 0;max-width:62rem}
header p{color:var(--soft);overflow-wrap:anywhere}header .facts{color:var(--ink)}
.alert{color:var(--bad)}
.read,.legend,.still,.caption,.why,.trend,small,.key,table,.card,.group>summary,svg{
font-family:"Helvetica Neue",Helvetica,Arial,"Liberation Sans",sans-serif}
.read,.still,.legend{font-size:.8rem;line-height:1.4;color:var(--soft)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.95rem;font-variant-numeric:tabular-nums}
.result th,.result td{text-align:right;padding:.28rem 1.4rem .28rem 0;border-bottom:1px solid var(--hair);
white-space:nowrap;font-weight:400}
.result tbody th{text-align:left}.result thead th{font-size:.8rem;color:var(--soft)}
.result small{color:var(--soft);font-size:.8em}.result thead th:last-child{text-align:left}
.result tr>:last-child{padding-right:0}
svg{display:block;width:100%;height:auto;overflow:visible}
.dumbbell{width:180px;height:20px}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(19rem,100%),1fr));gap:1.5rem 2rem}
figure{margin:0;min-width:0}
figcaption{display:flex;justify-content:space-between;gap:1rem;align-items:baseline;
font:.9rem/1.3 "Helvetica Neue",Helvetica,Arial,"Liberation Sans",sans-serif}
figcaption b{font-weight:600;overflow-wrap:anywhere;min-width:0}
.trend{color:var(--soft);font-variant-numeric:tabular-nums;white-space:nowrap;font-size:.8rem}
figure .read{font-size:.75rem;margin:.1rem 0 0}
figure.wide{max-width:62rem;margin:.4rem 0 1.6rem}
.grid{stroke:var(--hair);stroke-width:1;fill:none}
.tick{font-size:9.5px;fill:var(--soft);font-variant-numeric:tabular-nums}.end{text-anchor:end}
.wide .tick{font-size:9px}
.line{fill:none;stroke:var(--data);stroke-width:1.7;stroke-linejoin:round;stroke-linecap:round}
.raw{fill:none;stroke:var(--data);stroke-width:1;opacity:.3;stroke-linejoin:round}
.line.c1,.raw.c1{stroke:var(--data2)}.line.c2,.raw.c2{stroke:var(--data3)}
.line.c3,.raw.c3{stroke:var(--p2)}.line.c4,.raw.c4{stroke:var(--p1)}
.line.dot{fill:var(--data)}
.name{font-size:9.5px;fill:var(--data)}.n1{fill:var(--data2)}.n2{fill:var(--data3)}.n3{fill:var(--p2)}.n4{fill:var(--p1)}
.whisker{stroke:var(--eval);stroke-width:1.2;fill:none}
.mark{fill:var(--paper);stroke:var(--eval);stroke-width:1.5}
.change{stroke:var(--eval);stroke-width:2;fill:none}
.before{fill:var(--paper);stroke:var(--eval);stroke-width:1.6}.after{fill:var(--eval);stroke:var(--eval);stroke-width:1.6}
.band{stroke:var(--eval);stroke-width:9;opacity:.22;fill:none}
.key{display:flex;flex-wrap:wrap;gap:.2rem 1.3rem;list-style:none;margin:.4rem 0;padding:0;font-size:.8rem}
.key small{color:var(--soft)}.key b{font-weight:600}
.swatch{display:inline-block;width:.75em;height:.75em;margin-right:.35em;background:currentColor}
.times .p0{fill:var(--p0);color:var(--p0)}.times .p1{fill:var(--p1);color:var(--p1)}
.times .p2{fill:var(--p2);color:var(--p2)}.times .p3{fill:var(--p3);color:var(--p3)}
.times .p4{fill:var(--p4);color:var(--p4)}
.outcomes .p0{fill:var(--o0);color:var(--o0)}.outcomes .p1{fill:var(--o1);color:var(--o1)}
.outcomes .p2{fill:var(--o2);color:var(--o2)}.outcomes .p3{fill:var(--o3);color:var(--o3)}
.outcomes .p4{fill:var(--o4);color:var(--o4)}.outcomes .p5{fill:var(--o5);color:var(--o5)}
.outcomes .p6{fill:var(--o6);color:var(--o6)}.outcomes .p7{fill:var(--o7);color:var(--o7)}
.outcomes .p8{fill:var(--o8);color:var(--o8)}.outcomes .p9{fill:var(--o9);color:var(--o9)}
.outcomes .p10{fill:var(--o10);color:var(--o10)}.outcomes .p11{fill:var(--o11);color:var(--o11)}
details>summary{cursor:pointer}
.group{border-bottom:1px solid var(--hair);padding:.45rem 0}
.group>summary{font-size:.9rem;overflow-wrap:anywhere}
.why{color:var(--soft);font-size:.78rem;margin-left:.6rem}
.strip{white-space:nowrap;letter-spacing:.08em;margin-left:.5rem;font-weight:600}
.strip i{font-style:normal}
i.pass,.pass>b:first-child,li.pass{color:var(--good)}i.fail,.fail>b:first-child,li.fail{color:var(--bad)}
i.half,.half>b:first-child{color:var(--warn)}
i.none,.none>b:first-child,li.none{color:var(--soft)}
pre{margin:0;font:12px/17px ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;
tab-size:4}
.prompt{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--sunk);padding:.7rem .9rem;margin:.6rem 0;
max-height:18rem;overflow:auto;max-width:62rem}
.document{white-space:pre;overflow:auto;max-height:32rem;background:var(--sunk);padding:.7rem .9rem;margin:.5rem 0}
.caption{font-size:.8rem;color:var(--soft);margin:.7rem 0 .3rem;max-width:none}.caption b{color:var(--ink)}
.completions{display:grid;grid-auto-flow:column;grid-auto-columns:min(25rem,86vw);grid-template-rows:auto auto auto;
column-gap:1rem;overflow-x:auto;padding-bottom:.8rem;scroll-snap-type:x proximity}
.card{display:grid;grid-row:span 3;grid-template-rows:subgrid;row-gap:.5rem;align-content:start;scroll-snap-align:start;
border-top:3px solid var(--soft);padding-top:.35rem;font-size:.8rem;min-width:0}
.card.half{border-color:var(--warn)}.card.pass{border-color:var(--good)}.card.fail{border-color:var(--bad)}
.card>div{min-width:0}
.outcome{display:flex;justify-content:space-between;gap:.6rem;margin:0;font-size:.95rem}
.id{color:var(--soft);font-size:.75rem;overflow-wrap:anywhere}
.numbers{display:flex;flex-wrap:wrap;gap:0 1rem;margin:.15rem 0;color:var(--soft);font-variant-numeric:tabular-nums}
.numbers b{color:var(--ink)}
.checks{display:flex;flex-wrap:wrap;gap:0 .8rem;list-style:none;margin:.15rem 0;padding:0;overflow-wrap:anywhere}
.scores{color:var(--soft)}
.scores dl{display:grid;grid-template-columns:auto 1fr;gap:0 .8rem;margin:.2rem 0;font-variant-numeric:tabular-nums}
.scores dt{overflow-wrap:anywhere}.scores dd{margin:0;color:var(--ink)}
.program{display:grid;grid-template-columns:auto 1fr;background:var(--sunk);max-height:34rem;overflow:auto}
.gutter{text-align:right;padding:.5rem .5rem .5rem .6rem;color:var(--soft);user-select:none;position:sticky;left:0;
background:var(--sunk)}
.gutter b.bad{color:var(--bad)}.gutter b.warn{color:var(--warn)}
.code{padding:.5rem .6rem .5rem 0;white-space:pre}
.code mark{color:inherit;background:var(--badbg);box-shadow:0 0 0 2px var(--badbg)}
.code mark.warn{background:var(--warnbg);box-shadow:0 0 0 2px var(--warnbg)}
.aside{color:var(--soft);white-space:pre-wrap;overflow-wrap:anywhere;padding:.2rem .6rem;max-height:16rem;overflow:auto}
.diagnostics{list-style:none;margin:0;padding:0}
.diagnostics li{padding:.25rem .6rem;margin-bottom:.25rem;border-left:3px solid var(--warn);background:var(--warnbg);
overflow-wrap:anywhere}
.diagnostics li.error{border-color:var(--bad);background:var(--badbg)}
.diagnostics b{color:var(--warn)}.diagnostics .error b{color:var(--bad)}
.diagnostics i{font-style:normal;color:var(--soft)}
.diagnostics span{display:block;white-space:pre-wrap;font:12px/1.4 ui-monospace,"SF Mono",Menlo,Consolas,
"DejaVu Sans Mono","Liberation Mono",monospace}
.reason{color:var(--soft);margin:.2rem 0;overflow-wrap:anywhere;white-space:pre-wrap}
.output{background:var(--sunk);padding:.5rem .6rem;white-space:pre-wrap;overflow-wrap:anywhere;max-height:16rem;
overflow:auto}
@media (max-width:40rem){.wide .tick{font-size:15px}body{font-size:15px}}
@media print{.completions{grid-auto-flow:row;grid-template-rows:none}.program,.aside,.output,.prompt{max-height:none}}
"""
