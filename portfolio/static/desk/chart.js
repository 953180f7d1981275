/* Draws the price chart of one protection from the data in the page. Without it the page says the same in words. */
(() => {
  "use strict";
  const box = document.getElementById("price-chart");
  const source = document.getElementById("price-data");
  const charts = window.LightweightCharts;
  if (!box || !source || !charts) return;
  const data = JSON.parse(source.textContent);
  const bars = data.bars.map(([time, open, high, low, close]) => ({
    time, open: +open, high: +high, low: +low, close: +close,
  }));

  /* as the server writes them */
  const [decimal, group] = data.signs;
  const written = (price) => {
    const [whole, decimals] = Math.abs(price).toFixed(data.decimals).split(".");
    const text = whole.replace(/\B(?=(\d{3})+$)/g, group) + (decimals ? decimal + decimals : "");
    return price < 0 ? "−" + text : text;
  };

  const probe = document.createElement("span");
  box.before(probe);
  const colour = (name) => {
    probe.className = name;
    return getComputedStyle(probe).color;
  };
  const look = () => ({
    gain: colour("gain"), loss: colour("loss"), ink: colour("c-ink"), muted: colour("muted"),
    line: colour("c-line"), surface: colour("c-surface"), info: colour("c-info"), crit: colour("c-crit"),
  });

  const chart = charts.createChart(box, {
    autoSize: true,
    localization: { locale: document.documentElement.lang },
    layout: { attributionLogo: false, fontSize: 12, fontFamily: getComputedStyle(document.body).fontFamily },
    rightPriceScale: { borderVisible: false },
    timeScale: { borderVisible: false, timeVisible: bars.length < 2 || bars[1].time - bars[0].time < 86400, secondsVisible: false, rightOffset: 6 },
    crosshair: { mode: 0 },
    handleScroll: { mouseWheel: false, vertTouchDrag: false },
    handleScale: { mouseWheel: false },
  });
  const prices = data.levels.map((level) => +level.price);
  const series = chart.addSeries(charts.CandlestickSeries, {
    priceFormat: { type: "custom", formatter: written, minMove: +data.tick },
    autoscaleInfoProvider: (original) => {
      const info = original();
      if (info === null) return info;
      const range = info.priceRange;
      return { ...info, priceRange: {
        minValue: Math.min(range.minValue, ...prices), maxValue: Math.max(range.maxValue, ...prices),
      } };
    },
  });
  series.setData(bars);
  const lines = data.levels.map((level) => ({ level, line: series.createPriceLine({ price: +level.price }) }));
  const marks = charts.createSeriesMarkers(series, []);

  const styles = { target: charts.LineStyle.LargeDashed, entry: charts.LineStyle.Solid, stop: charts.LineStyle.Dashed };
  const paint = () => {
    const c = look();
    const colours = { target: c.gain, entry: c.info, stop: c.loss };
    chart.applyOptions({
      layout: { background: { color: c.surface }, textColor: c.muted },
      grid: { vertLines: { visible: false }, horzLines: { color: c.line } },
    });
    series.applyOptions({
      upColor: c.surface, borderUpColor: c.gain, wickUpColor: c.gain,
      downColor: c.loss, borderDownColor: c.loss, wickDownColor: c.loss,
      priceLineColor: c.muted, priceLineStyle: charts.LineStyle.SparseDotted,
    });
    for (const { level, line } of lines) {
      line.applyOptions({
        color: colours[level.kind], lineWidth: 2, lineStyle: styles[level.kind], title: level.label,
        axisLabelColor: level.placed ? colours[level.kind] : c.surface,
        axisLabelTextColor: level.placed ? c.surface : c.crit,
      });
    }
    marks.setMarkers(data.marks.map(({ time, side, text }) => ({
      time, text, color: c.info,
      position: side === "BUY" ? "belowBar" : "aboveBar",
      shape: side === "BUY" ? "arrowUp" : "arrowDown",
    })));
  };
  paint();
  chart.timeScale().fitContent();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  new MutationObserver(paint).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
})();
