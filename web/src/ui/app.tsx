import { client, dialog } from "./state";
import { t } from "../texts";
import { Chats } from "./chats";
import { DateJump } from "./dates";
import { Details } from "./details";
import { Entrance } from "./entrance";
import { NewChat } from "./new-chat";
import { searching } from "./search";
import { ReportDialog } from "./report";
import { RequestsView } from "./requests";
import { Settings } from "./settings";
import { Told } from "./told";
import { ThreadView } from "./thread";

export function App() {
  const signedIn = client.value;
  if (!signedIn) return <Entrance />;
  const open = signedIn.open.value;
  const conversation = open === null ? undefined : signedIn.listing.conversations.value.get(open);
  return (
    <main class={`window ${conversation && !searching.value ? "has-open" : ""}`}>
      <Chats signedIn={signedIn} />
      <div class="pane">
        <Banner />
        {conversation ? <ThreadView key={conversation.id} signedIn={signedIn} conversation={conversation} /> : <p class="empty">{t().pick_chat}</p>}
      </div>
      <Told />
      <ReportDialog signedIn={signedIn} />
      {dialog.value === "new" && <NewChat signedIn={signedIn} />}
      {dialog.value === "settings" && <Settings signedIn={signedIn} />}
      {dialog.value === "requests" && <RequestsView signedIn={signedIn} />}
      {dialog.value === "date" && conversation && <DateJump signedIn={signedIn} conversation={conversation} />}
      {dialog.value === "details" && conversation && <Details signedIn={signedIn} conversation={conversation} />}
    </main>
  );
}

function Banner() {
  const standing = client.value?.standing.value;
  const text = standing === "waiting" ? t().offline : standing === "connecting" ? t().connecting : "";
  return (
    <div class="banner" role="status" hidden={!text}>
      {text}
    </div>
  );
}
