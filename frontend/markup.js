// The markup: everything that the app shows. Every word comes from words/: data-words names the
// text of an element, data-label its accessible name, data-title its tip; data-role is a landmark where the app is a page.

import { say } from "./language.js";

const HTML = /* html */ `
<div id="lens">
<div class="bar" data-role="banner">
  <a class="brand" id="home">
    <svg viewBox="0 0 32 32" aria-hidden="true"><path d="M7 12V9a2 2 0 0 1 2-2h3M20 7h3a2 2 0 0 1 2 2v3M25 20v3a2 2 0 0 1-2 2h-3M12 25H9a2 2 0 0 1-2-2v-3"/><circle cx="16" cy="16" r="4.2"/></svg>
    <span data-words="name"></span>
  </a>
  <p id="gallery"></p>
  <div class="again">
    <button type="button" class="quiet touch-only" data-pick="camera" data-words="takePhoto"></button>
    <button type="button" class="quiet" data-pick="choose" data-words="newPhoto"></button>
  </div>
</div>
<div class="main" data-role="main">
  <section id="start" aria-labelledby="headline">
    <div class="hero">
      <h1 id="headline" tabindex="-1" data-words="headline"></h1>
      <p class="lead" data-words="lead"></p>
      <div class="ways">
        <button type="button" class="solid touch-only" data-pick="camera">
          <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 8.5A1.5 1.5 0 0 1 5.5 7H8l1.5-2h5L16 7h2.500A1.5 1.5 0 0 1 20 8.500v9a1.5 1.5 0 0 1-1.5 1.500h-13A1.5 1.5 0 0 1 4 17.500z"/><circle cx="12" cy="13" r="3.4"/></svg>
          <span data-words="takePhoto"></span>
        </button>
        <button type="button" class="solid" data-pick="choose">
          <svg viewBox="0 0 24 24" aria-hidden="true"><rect x="4" y="4" width="16" height="16" rx="2.5"/><path d="m5 17 4.5-4.5 3.5 3.5 2.5-2.5 4 4"/><circle cx="15.2" cy="8.8" r="1.3"/></svg>
          <span data-words="choosePhoto"></span>
        </button>
      </div>
      <p class="hint mouse-only" data-words="dropOrPaste"></p>
      <p class="reading hint" hidden><span></span></p>
      <div class="notice-place"></div>
    </div>
    <section id="recent" aria-labelledby="recent-title" hidden>
      <div class="recent-head">
        <h2 id="recent-title" data-words="recent"></h2>
        <p data-words="staysHere"></p>
        <button type="button" class="plain forget-all" data-words="forgetAll"></button>
      </div>
      <ul></ul>
    </section>
    <section id="examples" aria-labelledby="examples-title" hidden>
      <h2 id="examples-title" data-words="examples"></h2>
      <ul></ul>
    </section>
  </section>

  <section id="search" hidden>
    <section class="photo" aria-labelledby="photo-title">
      <h2 id="photo-title" class="unseen" tabindex="-1" data-words="yourPhoto"></h2>
      <div id="stage">
        <canvas id="preview" role="img"></canvas>
        <div class="clip"><div class="shade"></div></div>
        <div id="crop" role="application" tabindex="0" data-label="cropBox" aria-describedby="crop-help">
          <span data-edge="n"></span><span data-edge="e"></span><span data-edge="s"></span><span data-edge="w"></span>
          <span data-edge="nw"></span><span data-edge="ne"></span><span data-edge="se"></span><span data-edge="sw"></span>
        </div>
        <div class="frame" hidden></div>
        <div id="regions" role="group" data-label="regions" hidden></div>
      </div>
      <p id="no-preview" hidden></p>
      <div class="below-photo">
        <p class="hint" id="crop-hint"><span class="mouse-only" data-words="pointHintMouse"></span><span class="touch-only" data-words="pointHintTouch"></span></p>
        <button type="button" class="quiet" id="whole" data-words="wholePhoto" hidden></button>
      </div>
      <p id="crop-help" class="unseen" data-words="cropHelp"></p>
    </section>
    <section id="results" aria-labelledby="results-title">
      <div class="head">
        <h1 id="results-title" tabindex="-1"></h1>
        <p class="sharing"><button type="button" class="quiet" id="share" data-words="share"></button><span class="unseen" role="status"></span></p>
        <button type="button" class="quiet" id="cancel" data-words="cancel" hidden></button>
      </div>
      <progress id="progress" max="1" data-label="progress"></progress>
      <p class="reading hint" hidden><span></span><button type="button" class="quiet" data-words="searchAgain" hidden></button></p>
      <div id="refine">
        <div class="row">
          <div class="menus" hidden></div>
          <form id="filter" hidden>
            <fieldset>
              <legend class="unseen" data-words="filterBy"></legend>
              <div class="chips"></div>
              <label class="other"><span class="unseen" data-words="otherCategories"></span><select></select></label>
            </fieldset>
          </form>
        </div>
      </div>
      <ul id="asked" data-label="asked" hidden></ul>
      <div class="notice-place"></div>
      <ul id="hits" data-label="products"></ul>
      <div id="end" hidden><button type="button" class="quiet"></button><p></p></div>
    </section>
  </section>
</div>

<input type="file" id="choose" accept="image/*,.heic,.heif,.hif,.avif" data-label="choosePhoto" hidden>
<input type="file" id="camera" accept="image/*" capture="environment" data-label="takePhoto" hidden>
<p id="status" class="unseen" role="status"></p>

<dialog id="viewer" aria-labelledby="viewer-title">
  <button type="button" class="round" id="close" data-label="close"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="m6 6 12 12M18 6 6 18"/></svg></button>
  <div class="large"><img alt=""></div>
  <div class="facts">
    <p class="match"></p>
    <h2 id="viewer-title" tabindex="-1"></h2>
    <p class="category"></p>
    <p class="price" hidden></p>
    <div class="choice" hidden></div>
    <div class="ways"><a class="solid shop" target="_blank" rel="noopener" data-words="atTheShop" hidden></a></div>
    <ul class="views"></ul>
    <div class="ways">
      <button type="button" class="quiet more" data-words="moreLikeThis"></button>
      <button type="button" class="quiet less" data-words="lessLikeThis"></button>
      <button type="button" class="quiet anew" data-words="searchWithThis"></button>
      <p class="sharing"><button type="button" class="quiet share" data-words="share"></button><span class="unseen" role="status"></span></p>
      <a class="quiet original" target="_blank" rel="noopener" data-words="openOriginal"></a>
    </div>
    <p class="fine"></p>
  </div>
</dialog>

<dialog id="filters" aria-labelledby="filters-title">
  <div class="top">
    <h2 id="filters-title" tabindex="-1" data-words="filters"></h2>
    <button type="button" class="round" data-label="close"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="m6 6 12 12M18 6 6 18"/></svg></button>
  </div>
  <div class="groups"></div>
  <div class="bottom">
    <button type="button" class="quiet clear" data-words="clearAll"></button>
    <button type="button" class="solid done"></button>
  </div>
</dialog>
</div>
<div id="veil" hidden><p data-words="dropHere"></p></div>

<template id="card">
  <li class="card">
    <div class="picture">
      <button type="button" class="open"><img alt="" loading="lazy" decoding="async"></button>
      <img class="found" loading="lazy" decoding="async">
      <p class="badge" hidden></p>
      <div class="judge">
        <button type="button" class="more" data-title="moreLikeThis"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M7 20V10l4.500-7a2 2 0 0 1 2.300 2.400L13 10h5.500a1.800 1.800 0 0 1 1.800 2.200l-1.500 6.300A2 2 0 0 1 16.900 20zM7 20H3.500V10H7"/></svg></button>
        <button type="button" class="less" data-title="lessLikeThis"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M7 20V10l4.500-7a2 2 0 0 1 2.300 2.400L13 10h5.500a1.800 1.800 0 0 1 1.800 2.200l-1.500 6.300A2 2 0 0 1 16.900 20zM7 20H3.500V10H7"/></svg></button>
      </div>
    </div>
    <div class="about">
      <h2></h2>
      <p class="category"></p>
      <p class="price" hidden></p>
      <p class="variants" hidden></p>
      <p class="match"></p>
      <a class="shop" target="_blank" rel="noopener" data-words="atTheShop" hidden></a>
    </div>
  </li>
</template>
<template id="notice">
  <div class="notice"><p class="what"></p><p class="do"></p><button type="button" class="quiet" hidden></button><p class="reference"></p></div>
</template>
`;

/** The markup as a fragment, for one shadow root. */
export const markup = () => template.content.cloneNode(true);

const template = document.createElement("template");
// A page may want HTML from policies alone (CSP: require-trusted-types-for).
const policy = globalThis.trustedTypes?.createPolicy("image-lens", { createHTML: (html) => html });
template.innerHTML = policy ? policy.createHTML(HTML) : HTML;

/** Fill in the words, and the landmarks of a page. */
export function fillWords(root, page) {
  if (page) document.documentElement.lang = say.language;
  root.getElementById("lens").lang = say.language;
  for (const part of [root, ...[...root.querySelectorAll("template")].map(({ content }) => content)]) {
    for (const element of part.querySelectorAll("[data-words]")) {
      element.textContent = say.words[element.dataset.words];
    }
    for (const element of part.querySelectorAll("[data-label]")) {
      element.ariaLabel = say.words[element.dataset.label];
    }
    for (const element of part.querySelectorAll("[data-title]")) {
      element.title = say.words[element.dataset.title];
    }
    for (const element of part.querySelectorAll("[data-role]")) {
      element.role = page ? element.dataset.role : null;
    }
  }
}
