# Times nlme::gls, and glmmTMB where it is installed, on the trials that mmrm.py wrote: seconds of the fit alone, without
# R's start. One line a fit: package, trial, seconds. Run by benchmarks/mmrm.py; the folder is the argument.
folder <- commandArgs(TRUE)[1]
suppressMessages(library(nlme))
has_glmmtmb <- requireNamespace("glmmTMB", quietly = TRUE)
for (file in list.files(folder, "\\.csv$", full.names = TRUE)) {
  trial <- read.csv(file)
  name <- sub("\\.csv$", "", basename(file))
  trial$visit_f <- factor(trial$visit)
  formula <- y ~ base + arm * visit_f
  seconds <- system.time(gls(formula, data = trial, correlation = corSymm(form = ~ visit | id),
                             weights = varIdent(form = ~ 1 | visit_f)))["elapsed"]
  cat("nlme::gls", name, seconds, "\n")
  if (has_glmmtmb) {
    trial$id_f <- factor(trial$id)
    seconds <- system.time(glmmTMB::glmmTMB(y ~ base + arm * visit_f + us(0 + visit_f | id_f), dispformula = ~ 0,
                                            REML = TRUE, data = trial))["elapsed"]
    cat("glmmTMB", name, seconds, "\n")
  }
}
