// What the phone keeps, in IndexedDB. Keys are kept as objects of the browser, which nothing can read out again.

/** Most pairings of a phone: an event stream carries so many (contract 20.6). */
const MOST_PAIRINGS = 8;
/** Most entries of the history. */
const MOST_HISTORY = 50;

let opened;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const opening = indexedDB.open(`countersign${CONFIG.root}`, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("pairings", { keyPath: "id" });
      opening.result.createObjectStore("history", { autoIncrement: true });
      opening.result.createObjectStore("settings");
    };
    opening.onsuccess = () => {
      // A newer version of the app in another window may change the form: this one lets go.
      opening.result.onversionchange = () => opening.result.close();
      resolve(opening.result);
    };
    opening.onerror = () => reject(opening.error);
    opening.onblocked = () => reject(new Error("the store is in use"));
  });
  return opened;
}

/** Runs `work` on a store in one transaction, and gives what its request gave once the transaction is durable. */
async function kept(store, mode, work) {
  const transaction = (await database()).transaction(store, mode);
  const request = work(transaction.objectStore(store));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

const pairingsKept = () => kept("pairings", "readonly", (store) => store.getAll());
const keepPairing = (pairing) => kept("pairings", "readwrite", (store) => store.put(pairing));
const forgetPairing = (id) => kept("pairings", "readwrite", (store) => store.delete(id));

const setting = (name) => kept("settings", "readonly", (store) => store.get(name));
const set = (name, value) => kept("settings", "readwrite", (store) => store.put(value, name));

/** The history, the newest first. */
const historyKept = async () => (await kept("history", "readonly", (store) => store.getAll())).reverse();
const clearHistory = () => kept("history", "readwrite", (store) => store.clear());

function keepHistory(entry) {
  return kept("history", "readwrite", (store) => {
    store.add(entry);
    const keys = store.getAllKeys();
    keys.onsuccess = () => {
      for (const key of keys.result.slice(0, -MOST_HISTORY)) store.delete(key);
    };
    return undefined;
  });
}

