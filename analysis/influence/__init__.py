"""What the pooled estimates owe to each study: every study is left out in turn and the posterior solved anew."""
