// The app of a paired phone (contract 20). It is one script, kept in several files: page, store, protocol, view, requests,
// stream, push, screens, answering, start. Texts are in the page's templates, in the language of its reader.

const app = document.getElementById("app");

const CONFIG = {
  root: app.dataset.root,
  pushKey: app.dataset.pushKey,
  issuer: app.dataset.issuer,
};

