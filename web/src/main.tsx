import { render } from "preact";
import { App } from "./ui/app";
import { begin } from "./ui/state";
import { installWorker } from "./ui/worker";

begin();
void installWorker();
render(<App />, document.getElementById("app") ?? document.body);
