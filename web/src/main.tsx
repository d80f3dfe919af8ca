import { render } from "preact";
import { App } from "./ui/app";
import { followBack } from "./ui/back";
import { followLinks } from "./ui/place";
import { begin } from "./ui/session";
import { followToday } from "./ui/time";
import { installWorker } from "./ui/worker";

begin();
followLinks();
followBack();
followToday();
void installWorker();
render(<App />, document.getElementById("app") ?? document.body);
